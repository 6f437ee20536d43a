import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const MAILGUN: Provider = {
  title: "Mailgun",
  host: /(^|\.)mailgun\.org$/,
  mark: /mailgun/i,
  exampleHost: "smtp.mailgun.org",
  rows: [
    {
      hint: "Mailgun expects an SMTP user of the sending domain (user@domain) and its SMTP password instead of an API key, at the server of the domain's region: smtp.mailgun.org or smtp.eu.mailgun.org.",
      cause: "settings",
      source: "https://documentation.mailgun.com/docs/mailgun/user-manual/smtp-protocol/",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
    {
      hint: "Mailgun's sandbox domains and free accounts send only to authorized recipients: authorize this recipient, or use a domain of your own.",
      cause: "message",
      subject: "recipient",
      source: "https://help.mailgun.com/hc/en-us/articles/217531258-Authorized-Recipients",
      reply: /test purposes|authorized recipients/i,
      example: {
        stage: "message",
        reply:
          "421 Domain sandbox0123456789abcdef.mailgun.org is not allowed to send: Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings.",
      },
    },
    {
      hint: "Mailgun has disabled this domain or account, and trying again does not help: see the reason in the control panel, and contact Mailgun's support.",
      cause: "account",
      source: "https://help.mailgun.com/hc/en-us/articles/202051664-My-domain-has-been-disabled-Now-what",
      reply: /not allowed to send\b.{0,200}\b(disabled|suspended)/i,
      example: {
        stage: "message",
        reply: "421 Domain example.com is not allowed to send: Account disabled",
      },
    },
    {
      hint: "Mailgun does not let this domain send yet, and trying again does not help: verify the domain's DNS records in the control panel.",
      cause: "settings",
      subject: "sender",
      source: "https://help.mailgun.com/hc/en-us/articles/202051664-My-domain-has-been-disabled-Now-what",
      reply: /not allowed to send/i,
      example: {
        stage: "message",
        reply:
          "421 Domain example.com is not allowed to send: The domain is unverified and requires DNS configuration. Log in to your control panel to view required DNS records.",
      },
    },
  ],
};
