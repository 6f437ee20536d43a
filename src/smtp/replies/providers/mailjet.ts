import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const MAILJET: Provider = {
  title: "Mailjet",
  host: /(^|\.)mailjet\.com$/,
  exampleHost: "in-v3.mailjet.com",
  rows: [
    {
      hint: "Mailjet expects the API key as user, and the secret key as password.",
      cause: "settings",
      source:
        "https://dev.mailjet.com/smtp-relay/configuration/, https://cloud.google.com/compute/docs/tutorials/sending-mail/using-mailjet",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
