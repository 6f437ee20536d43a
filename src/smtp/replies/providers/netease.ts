import { PASSWORD_REJECTED, type Provider } from "../row.ts";

const NETEASE_CODES = "https://help.163.com/09/1224/17/5RAJ4LMH00753VB8.html";

export const NETEASE: Provider = {
  title: "NetEase (163, 126, yeah.net)",
  host: /(^|\.)((163|126|188)\.com|yeah\.net)$/,
  exampleHost: "smtp.163.com",
  rows: [
    {
      hint: "NetEase expects an authorization code as password: switch on SMTP in the mailbox's settings, and create one there.",
      cause: "settings",
      source: "https://github.com/chatmail/provider-db/blob/master/_providers/163.md",
      ...PASSWORD_REJECTED,
      reply: /^5(35|50)\b/,
      example: { stage: "authentication", reply: "550 User has no permission" },
    },
    {
      hint: "NetEase limits the messages or recipients per connection. No action is needed: the next message uses a new connection.",
      cause: "server",
      subject: "session",
      source: NETEASE_CODES,
      reply: /\b(MI:DMC|RP:DRC)\b/,
      example: { stage: "sender", reply: "450 MI:DMC 163 smtp1,AAAAAAAAAAAA" },
    },
    {
      hint: "The account has reached NetEase's limit of messages per 15 minutes or per day: try again later, or send fewer.",
      cause: "account",
      source: NETEASE_CODES,
      reply: /\bMI:(SFQ|STC)\b/,
      example: { stage: "sender", reply: "451 MI:SFQ 163 smtp1,AAAAAAAAAAAA" },
    },
    {
      hint: "NetEase classifies this message as spam: change its content.",
      cause: "message",
      subject: "content",
      source: NETEASE_CODES,
      reply: /\bDT:SPM\b/,
      example: {
        stage: "message",
        reply: "554 DT:SPM 163 smtp1,AAAAAAAAAAAA,please see http://mail.163.com/help/help_spam_16.htm",
      },
    },
  ],
};
