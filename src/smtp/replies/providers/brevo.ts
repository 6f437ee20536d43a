import { PASSWORD_REJECTED, type Provider } from "../row.ts";

const BREVO_SMTP = "https://help.brevo.com/hc/en-us/articles/115000188150";

export const BREVO: Provider = {
  title: "Brevo",
  host: /(^|\.)(brevo|sendinblue)\.com$/,
  exampleHost: "smtp-relay.brevo.com",
  rows: [
    {
      hint: "Brevo blocks IP addresses that it does not know, and a Worker's address varies: turn off the blocking of unknown IP addresses for SMTP keys in Brevo's security settings.",
      cause: "settings",
      subject: "connection",
      source:
        "https://help.brevo.com/hc/en-us/articles/5740111683858-Authorize-and-block-IP-addresses-for-API-and-SMTP-security",
      reply: /^525\b|unauthorized ip/i,
      example: { stage: "authentication", reply: "525 5.7.1 Unauthorized IP address" },
    },
    {
      hint: "Brevo has not activated this account for transactional messages: complete its profile, and contact Brevo's support. Trying again does not help.",
      cause: "account",
      source: BREVO_SMTP,
      reply: /not (yet )?activated/i,
      example: { stage: "message", reply: "502 5.7.0 Your SMTP account is not yet activated" },
    },
    {
      hint: "Brevo expects the SMTP login as user, and an SMTP key as password: neither an API key nor the account's password works.",
      cause: "settings",
      source: BREVO_SMTP,
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 5.7.8 Authentication failed" },
    },
  ],
};
