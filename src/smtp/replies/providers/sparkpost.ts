import { PASSWORD_REJECTED, type Provider } from "../row.ts";

const SPARKPOST_ERRORS = "https://support.sparkpost.com/docs/faq/error-messages-smtp";

export const SPARKPOST: Provider = {
  title: "SparkPost",
  host: /(^|\.)sparkpost(mail)?\.com$/,
  mark: /sparkpost|unconfigured sending domain/i,
  exampleHost: "smtp.sparkpostmail.com",
  rows: [
    {
      hint: "SparkPost expects SMTP_Injection as user, and an API key with the permission Send via SMTP as password.",
      cause: "settings",
      source: SPARKPOST_ERRORS,
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: "535 5.7.8 Sorry. No authentication type succeeded" },
    },
    {
      hint: "SparkPost sends only for configured sending domains: add and verify the domain of from.",
      cause: "settings",
      subject: "sender",
      source: SPARKPOST_ERRORS,
      reply: /unconfigured sending domain/i,
      example: { stage: "message", reply: "550 5.7.1 Unconfigured Sending Domain <demo.example.com>" },
    },
  ],
};
