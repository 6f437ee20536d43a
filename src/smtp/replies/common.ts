import { FAILURE_KINDS } from "../result.ts";
import { authenticates } from "../smtp-settings.ts";
import { type Group, PASSWORD_REJECTED, type Row } from "./row.ts";

/** A reply that rejects our name in EHLO. Postfix sends it at RCPT. */
const REJECTED_EHLO =
  /\b(helo|ehlo)\b.{0,40}\b(rejected|denied|invalid)|\b(invalid|bad) (helo|ehlo)|^501 5\.5\.4 invalid domain name/i;

/** A reply about the recipient's full mailbox. Exchange says "Submission" when it means the sender's. */
const MAILBOX_FULL =
  /^(?!.*submission)(\d{3} [45]\.2\.2\b|\d{3} (user )?quota exceeded|.*(mailbox (is )?full|over ?quota|exceeded (its )?storage|disk quota))/i;

/** Replies to one message or one connection too many. */
export const SESSION_LIMITS: Group = {
  title: "Limits of a session",
  rows: [
    {
      hint: "The server limits the messages or recipients per connection. No action is needed: the next message uses a new connection.",
      cause: "server",
      subject: "session",
      source:
        "https://docs.kumomta.com/reference/kumo/start_esmtp_listener/max_messages_per_connection, https://www.exim.org/exim-html-current/doc/html/spec_html/ch-main_configuration.html",
      reply:
        /\b(messages|recipients|transactions) (per|in this|in one|on this|for this) (session|connection)\b/i,
      example: { stage: "message", reply: "452 4.4.5 Maximum number of messages per session exceeded." },
    },
    {
      hint: "The server accepts no more connections from this account or IP address: try again in a few minutes, and check what else uses the account.",
      cause: "account",
      subject: "session",
      source: "https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements",
      reply:
        /^432 4\.3\.2\b|\btoo many (concurrent |simultaneous |open )?(smtp )?(connections|sessions)\b|\b(concurrent|simultaneous) connections? limit\b/i,
      example: { stage: "authentication", reply: "432 4.3.2 Concurrent connections limit exceeded." },
    },
  ],
};

/** Causes that are the same with and without a user, and at every provider. */
export const CERTAIN_CAUSES: Group = {
  title: "TLS, names, sizes",
  rows: [
    {
      hint: "The server requires TLS before authentication: set starttls to true, or ssl to true with port 465.",
      cause: "settings",
      subject: "connection",
      source: "RFC 4954 section 6",
      reply: /^538\b/,
      example: {
        stage: "authentication",
        reply: "538 5.7.11 Encryption required for requested authentication mechanism",
      },
    },
    {
      hint: "The server requires TLS: set starttls to true, or ssl to true with port 465.",
      cause: "settings",
      subject: "connection",
      source: "RFC 3207 section 4",
      reply: /^530\b.*\b(tls|ssl|starttls|encrypt)|\b(tls|ssl|starttls|encryption)( is)? required/i,
      example: { stage: "sender", reply: "530 5.7.0 Must issue a STARTTLS command first" },
    },
    {
      hint: "The server requires a client certificate, which is not supported: contact its administrator.",
      cause: "server",
      subject: "connection",
      source: "https://www.postfix.org/postconf.5.html#smtpd_tls_req_ccert",
      reply: /client certificate/i,
      example: {
        stage: "greeting",
        reply: "421 4.7.1 mx.example.net Error: No client certificate presented",
      },
    },
    {
      hint: "The server does not accept {clientName}, the name that this service gives in EHLO: its operator must choose a name that DNS resolves (HOSTNAME), or the server's administrator must accept this one.",
      cause: "server",
      subject: "connection",
      source: "RFC 5321 section 4.1.4, https://www.postfix.org/postconf.5.html#reject_unknown_helo_hostname",
      reply: REJECTED_EHLO,
      example: {
        stage: "recipient",
        reply: "450 4.7.1 <mail.example.com>: Helo command rejected: Host not found",
      },
    },
    {
      hint: "The recipient's mailbox is full: use another recipient, or ask its owner to free space.",
      cause: "message",
      subject: "recipient",
      source: "RFC 3463 section 3.3",
      reply: MAILBOX_FULL,
      example: {
        stage: "recipient",
        reply:
          "452-4.2.2 The recipient's inbox is out of storage space. Please direct the\r\n452-4.2.2 recipient to\r\n452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp a92af1059eb24 - gsmtp",
      },
    },
    {
      hint: "The server does not accept messages of this size: send a smaller one.",
      cause: "message",
      subject: "content",
      source: "RFC 1870 section 6, RFC 3463 sections 3.3 and 3.4",
      reply:
        /^5\d\d 5\.(2\.3|3\.4)\b|^5\d\d\b.*(\bsize\b.{0,30}exceed|exceed.{0,40}\bsize\b|too (big|large))/i,
      example: { stage: "sender", reply: "552 5.3.4 Message size exceeds fixed limit" },
    },
    {
      hint: "The domain of from (or envelopeFrom) does not exist in DNS, or accepts no mail: correct the address, or add an MX record to the domain.",
      cause: "settings",
      subject: "sender",
      source: "RFC 5321 section 3.6.2, https://www.postfix.org/postconf.5.html#reject_unknown_sender_domain",
      reply:
        /^\d{3} [45]\.1\.8 (?!.*(access denied|blocked))|sender address rejected: domain|domain of sender/i,
      example: {
        stage: "recipient",
        reply: "450 4.1.8 <news@example.invalid>: Sender address rejected: Domain not found",
      },
    },
    {
      hint: "The server is overloaded, out of storage, or shutting down: try again later, then contact its administrator.",
      cause: "server",
      source: "RFC 3463 section 3.4",
      reply: /^\d{3} [45]\.3\.1\b|^421 4\.3\.2\b|insufficient system (storage|resources)/i,
      example: { stage: "sender", reply: "452 4.3.1 Insufficient system storage" },
    },
  ],
};

/** Rejections of a message for which no user was sent, whatever the code. */
export const NO_USER: Group = {
  title: "No user sent",
  where: ({ kind, stage, settings }) =>
    kind === "reply" && ["sender", "recipient", "message"].includes(stage) && !authenticates(settings),
  rows: [
    {
      hint: "The server delays messages from unknown clients (greylisting): set user and password, and do not set auth to false. Without a user, try again in a few minutes.",
      cause: "server",
      source: "RFC 6647",
      reply: /gr[ea]ylist/i,
      example: {
        stage: "recipient",
        reply: "450 4.2.0 <reader@example.org>: Recipient address rejected: Greylisted",
        settings: { user: undefined },
      },
    },
    {
      hint: "Set user and password, and do not set auth to false, or check the recipient: without a user, most servers accept messages only for their own mailboxes, and this server does not know the recipient's.",
      cause: "message",
      subject: "recipient",
      source: "RFC 3463 section 3.2",
      reply: /user unknown|unknown user|no such user|does not exist/i,
      example: {
        stage: "recipient",
        reply:
          "550 5.1.1 <reader@example.org>: Recipient address rejected: User unknown in local recipient table",
        settings: { password: undefined },
      },
    },
    {
      hint: "Set user and password, and do not set auth to false: no user was sent, and most servers accept messages only from their users.",
      cause: "settings",
      source: "RFC 6409 section 4.3",
      // A temporary reply rarely asks for a user: RFC 3463 section 3.8 has 4.7 for those that do.
      reply: /^5(?!.*\bto send (e?mails? |messages? )?to\b)|^4\d\d 4\.7\.|\brelay|\bauth|\blog ?in\b/i,
      example: {
        stage: "recipient",
        reply: "454 4.7.1 <reader@example.org>: Relay access denied",
        settings: { auth: false },
      },
    },
  ],
};

/** Replies of which only the code is known. */
export const CODES: Group = {
  title: "By the code of the reply",
  rows: [
    {
      hint: "The server does not accept a plain password from this user: ask the provider for an app password, or use another server.",
      cause: "settings",
      source: "RFC 4954 section 6",
      ...PASSWORD_REJECTED,
      reply: /^534\b/,
      example: { stage: "authentication", reply: "534 5.7.9 Authentication mechanism is too weak" },
    },
    {
      hint: "Passwords are switched off for this user or on this port: check the port (587 or 465), have an administrator allow SMTP AUTH with a password, or set authType to token.",
      cause: "settings",
      subject: "mechanism",
      source: "RFC 3463 section 3.8, https://github.com/nodemailer/nodemailer/issues/1060",
      ...PASSWORD_REJECTED,
      reply: /^504 5\.7\.4\b/,
      example: { stage: "authentication", reply: "504 5.7.4 Unrecognized authentication type" },
    },
    {
      hint: "The server does not accept AUTH on this port: check host and port (587 or 465), or set auth to false if the server requires no authentication.",
      cause: "settings",
      subject: "mechanism",
      source: "RFC 5321 section 4.2.2, RFC 4954 section 4",
      stages: ["authentication"],
      reply: /^50[0-4]\b/,
      where: ({ isAuthRefused = true }) => isAuthRefused,
      example: { stage: "authentication", reply: "503 5.5.1 Error: authentication not enabled" },
    },
    {
      hint: "The server cannot use the stored form of this password: sign in at the provider's website, or set a new password there.",
      cause: "settings",
      source: "RFC 4954 section 6",
      ...PASSWORD_REJECTED,
      reply: /^432\b|^4\d\d 4\.7\.12\b/,
      example: { stage: "authentication", reply: "432 4.7.12 A password transition is needed" },
    },
    {
      hint: "The server cannot check passwords at the moment: try again in a few minutes.",
      cause: "server",
      source: "RFC 4954 section 6",
      ...PASSWORD_REJECTED,
      reply: /^4/,
      example: {
        stage: "authentication",
        reply: "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
      },
    },
    {
      hint: "Check user and password. Many providers require the full email address as user, and an app password.",
      cause: "settings",
      source: "RFC 4954 section 6, RFC 3463 section 3.8",
      ...PASSWORD_REJECTED,
      example: { stage: "authentication", reply: "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6" },
    },
    {
      hint: "The server does not know this recipient: check the address.",
      cause: "message",
      subject: "recipient",
      source: "RFC 5321 section 4.2.2",
      stages: ["recipient", "message"],
      reply: /user unknown|unknown user|no such user|does not exist/i,
      example: { stage: "message", reply: "550 No such user here" },
    },
    {
      hint: "The recipient's mailbox or mailing list does not accept this message: use another recipient, or ask its owner.",
      cause: "message",
      subject: "recipient",
      source: "RFC 3463 section 3.3",
      stages: ["recipient", "message"],
      reply: /^5\d\d 5\.2\.[04]\b(?!.*submission)/i,
      example: { stage: "recipient", reply: "550 5.2.4 Mailing list expansion prohibited" },
    },
    {
      hint: "The server does not accept the content of this message: contact its administrator, and quote the reply.",
      cause: "message",
      subject: "content",
      source: "RFC 3463 section 3.7",
      stages: ["sender", "recipient", "message"],
      reply: /^\d{3} [45]\.6\./,
      example: { stage: "message", reply: "554 5.6.0 Message contains an invalid header" },
    },
    {
      hint: "The server does not accept this sender: set from (or envelopeFrom) to an address of the user.",
      cause: "settings",
      subject: "sender",
      source: "RFC 5321 section 4.2.2, RFC 3463 sections 3.2 and 3.8",
      stages: ["sender"],
      reply: /^55[0-4]\b|^5\d\d 5\.[17]\./,
      example: { stage: "sender", reply: "550 5.1.0 Access denied" },
    },
    {
      hint: "The server rejects messages temporarily: try again in a few minutes.",
      cause: "server",
      source: "RFC 5321 section 4.2.1",
      reply: /^4/,
      example: { stage: "message", reply: "451 4.3.0 Error: queue file write error" },
    },
    {
      hint: "The server does not accept this recipient: check the address, and whether the server may send to it.",
      cause: "message",
      subject: "recipient",
      source: "RFC 5321 section 4.2.2",
      stages: ["recipient"],
      example: { stage: "recipient", reply: "550 Unrouteable address" },
    },
  ],
};

/** What to do when evidence other than the reply shows the cause. Any failure matches. */
export const BY_CAUSE: Group = {
  title: "When other messages show the cause",
  rows: [
    {
      hint: "The server accepted this login before, so the fault is probably its own: try again later. If that does not help, check user and password.",
      cause: "server",
      source: "RFC 4954 section 6",
      kinds: FAILURE_KINDS,
      stages: ["authentication"],
      example: { stage: "authentication", reply: "535 5.7.3 Authentication unsuccessful" },
    },
    {
      hint: "The fault is probably the server's own: try again later, then contact its administrator, and quote the reply if there is one.",
      cause: "server",
      source: "RFC 5321 section 4.5.4.1",
      kinds: FAILURE_KINDS,
      example: { stage: "recipient", reply: "550 5.7.1 Service unavailable" },
    },
    {
      hint: "The provider does not let this account send at the moment: check the account's state and limits, or contact the provider's support.",
      cause: "account",
      source: "RFC 3463 section 3.8",
      kinds: FAILURE_KINDS,
      example: { stage: "message", reply: "550 5.7.1 Rejected by policy" },
    },
    {
      hint: "The server rejects every message that is sent with these settings: check host, user and password, and set from (and envelopeFrom) to an address of the user.",
      cause: "settings",
      source: "RFC 6409 section 6.1",
      kinds: FAILURE_KINDS,
      example: { stage: "message", reply: "550 5.7.1 Rejected by policy" },
    },
    {
      hint: "The server accepts other messages, but not this one: check its recipient, its size and its content.",
      cause: "message",
      source: "RFC 5321 section 4.2.1",
      kinds: FAILURE_KINDS,
      example: { stage: "message", reply: "550 5.7.1 Rejected by policy" },
    },
  ],
};

/** Replies of which nothing is known. */
export const LAST_RESORT: Row = {
  hint: "Contact the server's administrator, and quote the reply.",
  cause: "server",
  source: "RFC 5321 section 4.2.1",
  example: { stage: "greeting", reply: "554 no" },
};
