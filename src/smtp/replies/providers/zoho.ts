import { PASSWORD_REJECTED, type Provider } from "../row.ts";

const ZOHO_SMTP = "https://www.zoho.com/mail/help/zoho-smtp.html";

export const ZOHO: Provider = {
  title: "Zoho Mail",
  host: /(^|\.)zoho(cloud)?\.(com|eu|in|jp|sa|uk|ca|ae|com\.au|com\.cn)$/,
  exampleHost: "smtp.zoho.eu",
  rows: [
    {
      hint: "Set host to the server of the account's region (smtp.zoho.com, smtp.zoho.eu, smtp.zoho.in, smtp.zoho.com.au, ...; smtppro for a domain of your own), and user to the full address. With two-factor authentication, use an application-specific password.",
      cause: "settings",
      source: ZOHO_SMTP,
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 Authentication Failed" },
    },
    {
      hint: "Zoho lets the user send only from their own address or an alias: set from (and envelopeFrom) to one of them.",
      cause: "settings",
      subject: "sender",
      source: `${ZOHO_SMTP}, https://www.zoho.com/zeptomail/help/api/smtp-error-codes.html`,
      reply: /relaying disallowed/i,
      example: { stage: "sender", reply: "553 Relaying disallowed as other@example.com" },
    },
    {
      hint: "Zoho has blocked sending for this account, and trying again does not help: sign in to Zoho Mail, and unblock the account there.",
      cause: "account",
      source:
        "https://help.zoho.com/portal/en/community/topic/unable-to-send-message-reason-550-5-4-6-unusual-sending-activity-detected",
      reply: /unusual sending activity|sender address blocked/i,
      example: { stage: "message", reply: "550 5.4.6 Unusual sending activity detected." },
    },
  ],
};
