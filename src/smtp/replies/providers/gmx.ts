import { PASSWORD_REJECTED, type Provider } from "../row.ts";

export const GMX: Provider = {
  title: "GMX and WEB.DE",
  host: /(^|\.)(gmx\.(net|de|at|ch|com|fr|es|co\.uk)|web\.de)$/,
  exampleHost: "mail.gmx.net",
  rows: [
    {
      hint: "Switch on access by POP3, IMAP and SMTP in the mailbox's settings: GMX and WEB.DE have it off by default. Then check user (the full address) and password. With two-factor authentication, use an application-specific password.",
      cause: "settings",
      source:
        "https://www.gmx.net/mail/tipps/posts/pop3-imap/36/, https://hilfe.gmx.net/pop-imap/einschalten.html, https://hilfe.web.de/pop-imap/einschalten.html",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 Authentication credentials invalid" },
    },
  ],
};
