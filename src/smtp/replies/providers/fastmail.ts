import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const FASTMAIL: Provider = {
  title: "Fastmail",
  host: /(^|\.)(fastmail\.(com|fm)|messagingengine\.com)$/,
  exampleHost: "smtp.fastmail.com",
  rows: [
    {
      hint: "Fastmail does not accept the account's own password: create an app password with access to SMTP, and use it as the password.",
      cause: "settings",
      source: "https://www.fastmail.help/hc/en-us/articles/360058752854",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
