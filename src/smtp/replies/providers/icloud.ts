import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const ICLOUD: Provider = {
  title: "iCloud Mail",
  host: /(^|\.)(me|icloud)\.com$/,
  exampleHost: "smtp.mail.me.com",
  rows: [
    {
      hint: "Apple does not accept the account's own password for iCloud Mail: create an app-specific password, and use it with the full iCloud address as user.",
      cause: "settings",
      source: "https://support.apple.com/102525, https://support.apple.com/102654",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
