import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const POSTMARK: Provider = {
  title: "Postmark",
  host: /(^|\.)postmarkapp\.com$/,
  exampleHost: "smtp.postmarkapp.com",
  rows: [
    {
      hint: "Postmark expects the Server API Token as user and as password (or an SMTP Token of a message stream): an Account API Token does not work.",
      cause: "settings",
      source: "https://postmarkapp.com/support/article/common-smtp-connection-errors",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
