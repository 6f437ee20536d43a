import { PASSWORD_REJECTED, type Provider } from "../row.ts";

const SENDGRID_ERRORS =
  "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting";

export const SENDGRID: Provider = {
  title: "SendGrid",
  host: /(^|\.)sendgrid\.(net|com)$/,
  mark: /sendgrid/i,
  exampleHost: "smtp.sendgrid.net",
  rows: [
    {
      hint: "SendGrid's credits are used up: wait until they renew, or upgrade the plan. Trying again soon does not help.",
      cause: "account",
      source: SENDGRID_ERRORS,
      reply: /credits/i,
      example: { stage: "authentication", reply: "451 Authentication failed: Maximum credits exceeded" },
    },
    {
      hint: "SendGrid expects the word apikey as user, and an API key with the permission Mail Send as password.",
      cause: "settings",
      source:
        "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: "535 Authentication failed: Bad username / password" },
    },
    {
      hint: "SendGrid sends only for verified Sender Identities: verify the address of from, or authenticate its domain.",
      cause: "settings",
      subject: "sender",
      source: SENDGRID_ERRORS,
      reply: /sender identity|not authorized to send from/i,
      example: {
        stage: "message",
        reply:
          "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
      },
    },
  ],
};
