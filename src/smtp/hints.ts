import type { FailureKind, Stage } from "./conversation.ts";
import type { Reply } from "./reply.ts";
import type { SmtpSettings } from "./smtp-settings.ts";
import { tlsMode } from "./tls-mode.ts";

/** What a hint is chosen by. */
export interface Symptom {
  kind: FailureKind;
  stage: Stage;
  settings: SmtpSettings;
  /** Of a server that refused. */
  reply: Reply | undefined;
}

interface Row {
  when: (symptom: Symptom) => boolean;
  hint: string;
  /** Where this is documented. */
  source: string;
}

const GOOGLE = /gmail|gsmtp|google/i;

// Workers leave Cloudflare by addresses that they share with others, so blocklists know some of them.
const BLOCKED = /block(ed|list)|spamhaus|banned|unsolicited|reputation|5\.7\.60[5-9]/i;

const NOT_OWNED =
  /send ?as|sender address rejected|not owned by|not (allowed|permitted|authori[sz]ed) to send|permissions? to send/i;

/** The first row that fits is the hint, so the particular stand before the general. */
export const ROWS: readonly Row[] = [
  {
    when: ({ kind, settings }) =>
      kind === "not_connected" && settings.port === 587 && tlsMode(settings) === "implicit",
    hint: "Port 587 speaks STARTTLS, not TLS from the first byte: set ssl to false and starttls to true.",
    source: "RFC 6409, RFC 8314 section 3.3",
  },
  {
    when: ({ kind, settings }) =>
      kind === "not_smtp" && settings.port === 465 && tlsMode(settings) !== "implicit",
    hint: "Port 465 speaks TLS from the first byte: set ssl to true.",
    source: "RFC 8314 section 3.3",
  },
  {
    when: ({ kind, settings }) => kind === "not_connected" && tlsMode(settings) === "implicit",
    hint: "Check host and port. It may also be the server's certificate (self-signed, expired, or for another name): Cloudflare Workers do not tell these apart.",
    source: "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/",
  },
  {
    when: ({ kind }) => kind === "not_connected",
    hint: "Check host and port, and that the server accepts connections from the internet.",
    source: "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/",
  },
  {
    when: ({ kind }) => kind === "not_smtp",
    hint: "Check host and port: what answers there does not greet and answer EHLO as an SMTP server does, or not in time.",
    source: "RFC 5321 section 3.1",
  },
  {
    when: ({ kind }) => kind === "starttls_not_offered",
    hint: "The server does not offer STARTTLS here, or something on the way removes it. Try port 465 with ssl.",
    source: "RFC 3207 section 6, RFC 8314 section 3.3",
  },
  {
    when: ({ kind }) => kind === "credentials_need_tls",
    hint: "User and password are sent over TLS only, and the server does not offer STARTTLS here. Try port 465 with ssl.",
    source: "RFC 8314 section 3.3",
  },
  {
    when: ({ kind }) => kind === "tls_failed",
    hint: "The certificate may not be one to trust (self-signed, expired, or for another name than host): Cloudflare Workers do not tell.",
    source: "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/",
  },
  {
    when: ({ kind }) => kind === "plaintext_injected",
    hint: "The server, or somebody on the way to it, sent commands in clear where TLS was to begin. Ask who runs the server.",
    source: "CVE-2011-0411, RFC 3207 section 6",
  },
  {
    when: ({ kind }) => kind === "authentication_not_offered",
    hint: "The server offers no AUTH that takes user and password (PLAIN, LOGIN, CRAM-MD5). Check the port (587 or 465), or set auth to false if it needs none.",
    source: "RFC 4954 section 3",
  },
  {
    when: ({ kind }) => kind === "smtputf8_not_offered",
    hint: "The server does not take addresses with other letters than a-z before the @. Use another address, or another server.",
    source: "RFC 6531 section 3.1",
  },
  {
    when: ({ kind }) => kind === "timeout" || kind === "closed",
    hint: "The server stopped answering. It may be overloaded, or turn this client away: try again later, then ask who runs it.",
    source: "RFC 5321 section 4.5.3.2",
  },
  {
    when: ({ kind }) => kind === "protocol_error",
    hint: "The server does not keep to SMTP. Check host and port, then ask who runs it.",
    source: "RFC 5321 section 4.2",
  },
  {
    when: ({ kind, reply }) =>
      kind === "too_large" ||
      /^5\.(2\.3|3\.4)$/.test(reply?.enhancedCode ?? "") ||
      (reply?.code === 552 && /size|large|exceed/i.test(reply.text)),
    hint: "The message is larger than the server takes.",
    source: "RFC 1870 section 6, RFC 3463 sections 3.3 and 3.4",
  },
  refused(/^534$/, /^5\.7\.9$/, {
    hint: "The account has 2-Step Verification on: make an app password for it, and use that as password.",
    source: "https://support.google.com/accounts/answer/185833",
  }),
  {
    when: ({ reply, settings }) =>
      reply?.code === 535 &&
      reply.enhancedCode === "5.7.8" &&
      (GOOGLE.test(settings.host) || GOOGLE.test(reply.text)),
    hint: "Google does not take the account's own password: turn 2-Step Verification on, make an app password, and use that.",
    source: "https://support.google.com/mail/?p=BadCredentials",
  },
  {
    when: ({ reply }) => reply?.enhancedCode === "5.7.139" && /credentials were incorrect/i.test(reply.text),
    hint: "Check user and password: Microsoft 365 does not know them.",
    source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
  },
  refused(/^535$/, /^5\.7\.139$/, {
    hint: "Microsoft 365 has SMTP AUTH off for this mailbox or organisation: an administrator has to turn on Authenticated SMTP, and security defaults must allow it.",
    source:
      "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
  }),
  refused(/^5/, /^5\.7\.30$/, {
    hint: "Microsoft 365 no longer takes a user and password for SMTP here: use High Volume Email, Azure Communication Services or another server.",
    source:
      "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online",
  }),
  refused(/^5/, /^5\.7\.57$/, {
    hint: "The server wants to know who sends: set user and password, and turn on Authenticated SMTP for the mailbox.",
    source:
      "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/fix-error-code-5-7-57-in-exchange-online",
  }),
  refused(/^538$/, /./, {
    hint: "The server wants TLS before authentication: set starttls to true, or ssl to true with port 465.",
    source: "RFC 4954 section 6",
  }),
  {
    when: ({ reply }) => reply?.code === 530 && /tls|encrypt/i.test(reply.text),
    hint: "The server wants TLS first: set starttls to true, or ssl to true with port 465.",
    source: "RFC 3207 section 4",
  },
  {
    when: ({ reply }) => reply?.code === 530,
    hint: "The server wants to know who sends: set user and password.",
    source: "RFC 4954 section 6",
  },
  {
    when: ({ stage, reply }) => stage === "tls" && reply !== undefined,
    hint: "The server offers STARTTLS but cannot begin it: ask who runs it, or try port 465 with ssl.",
    source: "RFC 3207 section 4",
  },
  {
    when: ({ stage, reply }) => stage === "authentication" && (reply?.code ?? 500) < 500,
    hint: "The server cannot check passwords at the moment: try again in some minutes.",
    source: "RFC 4954 section 6",
  },
  {
    when: ({ stage, reply }) => stage === "authentication" && (reply?.code ?? 0) >= 500,
    hint: "Check user and password. Many providers want the whole email address as user, and a password made for applications.",
    source: "RFC 4954 section 6, RFC 3463 section 3.8",
  },
  {
    when: ({ reply }) => /relay/i.test(reply?.text ?? "") && (reply?.code ?? 0) >= 500,
    hint: "The server does not relay for this sender: set user and password, or use the server that is responsible for the domain of from.",
    source: "RFC 5321 section 3.6.2, RFC 3463 section 3.8",
  },
  {
    when: ({ reply }) => /SendAsDenied/.test(reply?.text ?? ""),
    hint: "Microsoft 365 does not let the user send as this address: set from to the user's own address, or have Send As granted for it.",
    source:
      "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
  },
  {
    when: ({ reply }) => /email address is not verified/i.test(reply?.text ?? ""),
    hint: "Amazon SES sends for verified identities only: verify the address or domain of from, and in the sandbox the recipient's, in the region of host.",
    source: "https://repost.aws/knowledge-center/ses-554-400-message-rejected-error",
  },
  refused(/^5/, /^5\.7\.26$/, {
    hint: "The sender's domain does not name this server: add it to the domain's SPF record, and have the server sign with DKIM.",
    source: "RFC 7372 section 3.2, https://support.google.com/mail/answer/81126",
  }),
  {
    when: ({ reply }) => (reply?.code ?? 0) >= 500 && BLOCKED.test(`${reply?.enhancedCode} ${reply?.text}`),
    hint: "The server turns away this address of Cloudflare's, or what it takes for spam: use the submission host of your mail provider (port 587 or 465), or ask who runs the server to let mail with your user and password through.",
    source:
      "RFC 3463 section 3.8, https://learn.microsoft.com/defender-office-365/external-senders-troubleshooting",
  },
  {
    when: ({ stage, reply }) =>
      /^5\.7\./.test(reply?.enhancedCode ?? "") && (stage === "sender" || NOT_OWNED.test(reply?.text ?? "")),
    hint: "The user may not send as this address: set from (or envelopeFrom) to an address that belongs to the user, or have it allowed.",
    source: "RFC 3463 section 3.8, https://www.postfix.org/postconf.5.html#reject_sender_login_mismatch",
  },
  {
    when: ({ stage, reply }) => stage === "sender" && [550, 553, 554].includes(reply?.code ?? 0),
    hint: "The server does not take this sender: set from (or envelopeFrom) to an address that belongs to the user.",
    source: "RFC 5321 section 4.2.2",
  },
  {
    when: ({ reply }) => reply !== undefined && reply.code >= 400 && reply.code < 500,
    hint: "The server refuses for now (greylisting, or too many mails in a short time): try again in some minutes.",
    source: "RFC 5321 section 4.2.1, RFC 6647",
  },
  refused(/^5/, /^5\.1\./, {
    hint: "The server does not know this address: check it.",
    source: "RFC 3463 section 3.2",
  }),
  {
    when: ({ stage }) => stage === "recipient",
    hint: "The server does not take this recipient: check the address, and whether the server may send to it.",
    source: "RFC 5321 section 4.2.2",
  },
];

/** What a person can do about a failure. */
export function hintFor(symptom: Symptom): string {
  return ROWS.find(({ when }) => when(symptom))?.hint ?? "Ask who runs the server, with its reply at hand.";
}

function refused(code: RegExp, enhancedCode: RegExp, row: Omit<Row, "when">): Row {
  const when = ({ reply }: Symptom) =>
    reply !== undefined && code.test(String(reply.code)) && enhancedCode.test(reply.enhancedCode ?? "");
  return { when, ...row };
}
