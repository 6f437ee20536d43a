import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const YANDEX: Provider = {
  title: "Yandex",
  host: /(^|\.)(yandex\.(ru|com|net|by|kz|uz|com\.tr)|ya\.ru)$/,
  exampleHost: "smtp.yandex.com",
  rows: [
    {
      hint: "Access for mail clients is switched off in this mailbox: allow it in the settings of Yandex Mail (Email clients), and use an app password.",
      cause: "settings",
      source: "https://yandex.com/support/mail/mail-clients/others.html",
      reply: /does not have access rights/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.8 Error: authentication failed: This user does not have access rights to this service",
      },
    },
    {
      hint: "Yandex suspects that this account sends spam: sign in to the mailbox with a browser, and send a message from there.",
      cause: "account",
      source:
        "https://github.com/higty/higlabo/pull/17, https://yandex.com/support/mail/web/letter/create/troubleshooting.html",
      reply: /looks like spam/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.8 Error: authentication failed: Your message looks like spam. You need to use web for sending or prove you are not a robot",
      },
    },
    {
      hint: "Yandex expects an app password: create one for mail in the account's settings, and use it as the password.",
      cause: "settings",
      source: "https://yandex.com/support/passport/authorization/app-passwords.html",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
