import { PASSWORD_REJECTED, type Provider } from "../row.ts";

export const YAHOO: Provider = {
  title: "Yahoo and AOL",
  host: /(^|\.)(yahoo|aol)\.com$/,
  mark: /#AUTH\d/,
  exampleHost: "smtp.mail.yahoo.com",
  rows: [
    {
      hint: "Yahoo does not accept the account's own password: create an app password in the account's security settings, and use it as the password. After too many attempts, wait an hour.",
      cause: "settings",
      source: "https://help.yahoo.com/kb/SLN15241.html, https://github.com/nodemailer/nodemailer/issues/1112",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: "535 5.7.0 (#AUTH005) Too many bad auth attempts." },
    },
  ],
};
