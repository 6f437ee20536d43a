import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const CLOUDFLARE: Provider = {
  title: "Cloudflare Email Service",
  host: /^smtp\.mx\.cloudflare\.net$/,
  exampleHost: "smtp.mx.cloudflare.net",
  rows: [
    {
      hint: "Cloudflare Email Service expects the word api_token as user, and an API token with the permission Email Sending: Edit as password. Its port is 465, with ssl.",
      cause: "settings",
      source: "https://developers.cloudflare.com/email-service/api/send-emails/smtp/",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
