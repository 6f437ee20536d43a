import type { Stage } from "../result.ts";
import { type Group, PASSWORD_REJECTED } from "./row.ts";

const RECIPIENT_STAGES: readonly Stage[] = ["recipient", "message"];
const MAIL_STAGES: readonly Stage[] = ["sender", ...RECIPIENT_STAGES];

/** Replies in the words of common servers. */
export const WORDS: Group = {
  title: "By the words of the reply",
  rows: [
    {
      hint: "The server offers STARTTLS but cannot start TLS: contact its administrator, or try port 465 with ssl.",
      cause: "server",
      source: "RFC 3207 section 4",
      stages: ["tls"],
      example: { stage: "tls", reply: "454 4.7.0 TLS not available due to local problem" },
    },
    {
      hint: "The server limits logins, often after failed ones: check user and password, wait an hour, then test again.",
      cause: "account",
      subject: "logins",
      source: "https://support.google.com/a/answer/3726730",
      reply: /too (many|much)\b.{0,20}\b(log-?ins?|auth\w*)/i,
      example: {
        stage: "authentication",
        reply: "454-4.7.0 Too many login attempts, please try again later. For more information, go to",
      },
    },
    {
      hint: "The account requires an app password: create one at the provider, and use it as the password.",
      cause: "settings",
      source: "https://support.google.com/accounts/answer/185833",
      ...PASSWORD_REJECTED,
      reply: /\b(app|application)([- ]specific)? password/i,
      example: { stage: "authentication", reply: "534 5.7.9 Application-specific password required" },
    },
    {
      hint: "The server does not recognize this address: check it.",
      cause: "message",
      subject: "recipient",
      source: "RFC 3463 section 3.2",
      stages: RECIPIENT_STAGES,
      reply: /^\d{3} [45]\.1\.([1236]|10)\b(?!.*\bsender\b)/i,
      example: {
        stage: "recipient",
        reply: "550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 gsmtp",
      },
    },
    {
      hint: "The recipient's mailbox is disabled: use another recipient.",
      cause: "message",
      subject: "recipient",
      source: "RFC 3463 section 3.3",
      reply: /^5\d\d 5\.2\.1\b/,
      example: {
        stage: "recipient",
        reply: "550 5.2.1 The email account that you tried to reach is disabled.",
      },
    },
    {
      hint: "The recipient's mailbox accepts no messages at the moment: try again in a few minutes.",
      cause: "message",
      subject: "recipient",
      source: "RFC 3463 section 3.3, https://support.google.com/a/answer/3726730",
      stages: RECIPIENT_STAGES,
      reply: /^4\d\d 4\.2\.1\b/,
      example: {
        stage: "recipient",
        reply: "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
      },
    },
    {
      hint: "The recipient accepts no messages from this sender: ask the recipient's administrator, or the owner of the group, to allow it.",
      cause: "message",
      subject: "recipient",
      source:
        "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online",
      stages: RECIPIENT_STAGES,
      reply: /^5\d\d 5\.7\.(124|129|13[3-6])\b|\bRESOLVER\.RST\b|\bto send (e?mails? |messages? )?to\b/i,
      example: {
        stage: "recipient",
        reply:
          "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group",
      },
    },
    {
      hint: "The account is disabled, suspended or not yet active, and trying again does not help: sign in at the provider's website, or contact its support.",
      cause: "account",
      source: "RFC 5248",
      reply:
        /^\d{3} [45]\.7\.13\b|\b(account|sending|sender)\b.{0,40}\b(suspended|disabled|deactivated|locked|paused|frozen|terminated|not (yet )?activ)|\b(suspended|disabled|blocked|locked|inactive) (account|mailbox|user|sender)/i,
      example: { stage: "authentication", reply: "525 5.7.13 User account disabled" },
    },
    {
      hint: "A sending quota or the account's credit is used up: wait until it renews (often a day), or ask the provider for more. Trying again soon does not help.",
      cause: "account",
      source: "https://support.google.com/a/answer/3726730, https://emailit.com/docs/smtp/troubleshooting/",
      reply:
        /^5\d\d 5\.4\.5\b|\bquota\b|\bcredits?\b|\b(hourly|daily|monthly)\b|\bper (hour|day|month)\b|\b(sending|hour|day) limit/i,
      example: {
        stage: "message",
        reply: "550 Domain example.com has exceeded the max emails per hour (125/100 (125%)) allowed",
      },
    },
    {
      hint: "The account sends faster than the provider allows: try again in a few minutes, or ask the provider for a higher rate.",
      cause: "account",
      source:
        "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html, https://service.mail.qq.com/detail/122/174",
      reply:
        /(?<!time |un)limit|\bthrottl|\btoo (fast|quickly|frequent|much)\b|\btoo many (?!hops\b|errors\b|recipients\b|bad\b|invalid\b|unknown\b)|\bper (second|minute)\b/i,
      example: { stage: "message", reply: "550 Sender frequency limited" },
    },
    {
      hint: "The server asks to try again later (greylisting, too many messages, or a fault of its own): try again in a few minutes.",
      cause: "server",
      source: "RFC 5321 section 4.2.1, RFC 6647",
      stages: MAIL_STAGES,
      reply: /^4.*\b(later|temporar(y|ily)|gr[ea]ylist)/i,
      example: {
        stage: "sender",
        reply: "450 4.7.1 <news@example.com>: Sender address rejected: try again later",
      },
    },
    {
      hint: "The sender's domain does not authorize this server: add the server to the domain's SPF record, and sign with DKIM.",
      cause: "settings",
      subject: "sender",
      source: "RFC 7372 section 3.2, https://support.google.com/mail/answer/81126",
      reply: /^\d{3} [45]\.7\.2[0-46]\b|\b(SPF|DKIM|DMARC)\b/i,
      example: {
        stage: "message",
        reply: "550 5.7.1 Email rejected per DMARC policy for example.com",
      },
    },
    {
      // Workers share their outbound addresses with other customers of Cloudflare, so blocklists contain some.
      hint: "The server blocks this IP address of Cloudflare: use the submission host of your mail provider (port 587 or 465), or ask the server's administrator to accept messages that are authenticated with your user and password.",
      cause: "server",
      subject: "connection",
      source:
        "RFC 3463 section 3.8, https://learn.microsoft.com/defender-office-365/external-senders-troubleshooting",
      // A rejected login may name our address in passing.
      where: ({ stage, reply }) =>
        stage !== "authentication" ||
        /unauthori[sz]ed|blocked|restricted|not allowed/i.test(reply?.text ?? ""),
      reply:
        /^[45]\d\d [45]\.7\.25\b|^5\d\d 5\.7\.(511|6[0-4]\d)\b|\b(client|blocked) host\b|\bIP\b|\breverse dns\b|\bPTR\b|\bspamhaus\b|\bblocked using\b|(block|black) ?list/i,
      example: {
        stage: "recipient",
        reply: "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
      },
    },
    {
      hint: "The server rejects the content of this message, for example as spam: change it, or ask the server's administrator to accept it.",
      cause: "message",
      subject: "content",
      source: "RFC 3463 section 3.8, https://support.google.com/mail/answer/81126",
      stages: ["message"],
      reply: /\b(spam|virus|blocked|unsolicited|attachment)\b|\bcontent\b.{0,20}\b(denied|rejected)/i,
      example: {
        stage: "message",
        reply:
          "550-5.7.1 Our system has detected that this message is likely unsolicited mail.\r\n550 5.7.1 this message has been blocked.",
      },
    },
    {
      hint: "The server cannot verify that the address of from (or envelopeFrom) exists: use an address that receives mail.",
      cause: "settings",
      subject: "sender",
      source: "https://www.exim.org/exim-html-current/doc/html/spec_html/ch-access_control_lists.html",
      reply: /sender verif|callout/i,
      example: {
        stage: "recipient",
        reply:
          "550-Verification failed for <news@example.com>\r\n550-Unrouteable address\r\n550 Sender verify failed",
      },
    },
    {
      hint: "The user may not send as this address: set from (or envelopeFrom) to an address of the user, or allow this one on the server.",
      cause: "settings",
      subject: "sender",
      source:
        "RFC 3463 section 3.8, https://www.postfix.org/postconf.5.html#reject_sender_login_mismatch, https://docs.mailtrap.io/email-api-smtp/help/troubleshooting/sending-from-domain-not-allowed",
      stages: MAIL_STAGES,
      reply:
        /^\d{3} [45]\.1\.7\b|\bsend ?as|\b(sender|from|sending domain)\b.{0,60}\b(not\b(?! (authenticated|logged))|doesn't|must|rejected|denied|refused)\b|\bnot\b.{0,40}\bsend( e?mail)? (as|from)\b/i,
      example: {
        stage: "recipient",
        reply: "553 5.7.1 <other@example.com>: Sender address rejected: not owned by user ada@example.com",
      },
    },
    {
      hint: "The server requires authentication for this message: check user and password, that the account is active, and that the user may send as from.",
      cause: "settings",
      subject: "password",
      source: "RFC 4954 section 6",
      stages: MAIL_STAGES,
      reply:
        /^530\b|\bauth\w* (is )?(required|needed)\b|\b(need|must|please)\b.{0,20}\b(auth\w*|log ?in)\b|\bunauthenticated\b|\bnot (authenticated|logged in)\b/i,
      example: { stage: "sender", reply: "530 5.7.0 Authentication required" },
    },
    {
      hint: "The server does not relay for this sender: set from to an address of the user, or use the server that is responsible for the domain of from.",
      cause: "settings",
      source: "RFC 5321 section 3.6.2, RFC 3463 section 3.8",
      reply: /\brelay(ing)?\b|\brcpthosts\b/i,
      example: { stage: "recipient", reply: "554 5.7.1 <reader@example.org>: Relay access denied" },
    },
    {
      hint: "The server blocks this service or the sender: ask its administrator why, or use the submission host of your mail provider (port 587 or 465).",
      cause: "server",
      subject: "connection",
      source: "RFC 3463 section 3.8",
      reply: /\b(blocked|banned|spam|reputation)\b/i,
      example: { stage: "recipient", reply: "550 5.7.1 Rejected: poor reputation" },
    },
  ],
};
