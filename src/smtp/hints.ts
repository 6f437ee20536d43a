import type { Reply } from "./reply.ts";
import type { FailureKind, Stage } from "./result.ts";
import type { SmtpSettings } from "./smtp-settings.ts";
import { tlsMode } from "./tls-mode.ts";

/** What determines a hint. */
export interface Symptom {
  kind: FailureKind;
  stage: Stage;
  settings: SmtpSettings;
  /** The server's negative reply, if any. */
  reply: Reply | undefined;
}

interface Row {
  when: (symptom: Symptom) => boolean;
  hint: string;
  /** Documentation of the symptom. */
  source: string;
}

const GOOGLE = /gmail|gsmtp|google/i;

// Workers share their outbound addresses with other customers of Cloudflare, so blocklists contain some.
const BLOCKED = /block(ed|list)|spamhaus|banned|unsolicited|reputation|5\.7\.60[5-9]/i;

const NOT_OWNED =
  /send ?as|sender address rejected|not owned by|not (allowed|permitted|authori[sz]ed) to send|permissions? to send/i;

/** The first matching row provides the hint, so specific rows precede general ones. */
export const ROWS: readonly Row[] = [
  {
    when: ({ kind }) => kind === "forbidden_destination",
    hint: "Set host to a public host name or IP address.",
    source: "https://www.iana.org/assignments/iana-ipv4-special-registry/",
  },
  {
    when: ({ kind, settings }) =>
      kind === "not_connected" && settings.port === 587 && tlsMode(settings) === "implicit",
    hint: "Port 587 uses STARTTLS instead of implicit TLS: set ssl to false and starttls to true.",
    source: "RFC 6409, RFC 8314 section 3.3",
  },
  {
    when: ({ kind, settings }) =>
      kind === "not_smtp" && settings.port === 465 && tlsMode(settings) !== "implicit",
    hint: "Port 465 uses implicit TLS: set ssl to true.",
    source: "RFC 8314 section 3.3",
  },
  {
    when: ({ kind, settings }) => kind === "not_connected" && tlsMode(settings) === "implicit",
    hint: "Check host and port. The server's certificate may also be the cause (self-signed, expired, or issued for another name): Cloudflare Workers report both the same way.",
    source: "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/",
  },
  {
    when: ({ kind }) => kind === "not_connected",
    hint: "Check host and port, and that the server accepts connections from the internet.",
    source: "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/",
  },
  {
    when: ({ kind }) => kind === "not_smtp",
    hint: "Check host and port: no valid SMTP greeting and EHLO reply arrived in time.",
    source: "RFC 5321 section 3.1",
  },
  {
    when: ({ kind }) => kind === "starttls_not_offered",
    hint: "The server does not offer STARTTLS on this port, or something in between removes the offer. Try port 465 with ssl.",
    source: "RFC 3207 section 6, RFC 8314 section 3.3",
  },
  {
    when: ({ kind }) => kind === "credentials_need_tls",
    hint: "User and password are sent over TLS only, and the server does not offer STARTTLS on this port. Try port 465 with ssl.",
    source: "RFC 8314 section 3.3",
  },
  {
    when: ({ kind }) => kind === "tls_failed",
    hint: "The server's certificate may not be trusted (self-signed, expired, or issued for a name other than host): Cloudflare Workers do not report the cause.",
    source: "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/",
  },
  {
    when: ({ kind }) => kind === "ended_after_tls",
    hint: "The server may require a client certificate, which is not supported, or reject this client: contact its administrator.",
    source: "RFC 8446 section 4.4.2.4",
  },
  {
    when: ({ kind }) => kind === "plaintext_injected",
    hint: "The server, or an attacker in between, sent unencrypted data where TLS should begin. Contact the server's administrator.",
    source: "CVE-2011-0411, RFC 3207 section 6",
  },
  {
    when: ({ kind }) => kind === "authentication_not_offered",
    hint: "The server offers no AUTH mechanism for a user and password (PLAIN, LOGIN, CRAM-MD5). Check the port (587 or 465), or set auth to false if the server requires no authentication.",
    source: "RFC 4954 section 3",
  },
  {
    when: ({ kind }) => kind === "smtputf8_not_offered",
    hint: "The server supports only ASCII characters before the @ of an address. Use another address, or another server.",
    source: "RFC 6531 section 3.1",
  },
  {
    when: ({ kind }) => kind === "timeout" || kind === "closed",
    hint: "The server stopped responding. It may be overloaded, or may reject this client: try again later, then contact its administrator.",
    source: "RFC 5321 section 4.5.3.2",
  },
  {
    when: ({ kind }) => kind === "protocol_error",
    hint: "The server violates the SMTP protocol. Check host and port, then contact the server's administrator.",
    source: "RFC 5321 section 4.2",
  },
  {
    when: ({ kind, reply }) =>
      kind === "too_large" ||
      /^5\.(2\.3|3\.4)$/.test(reply?.enhancedCode ?? "") ||
      (reply?.code === 552 && /size|large|exceed/i.test(reply.text)),
    hint: "The message exceeds the server's size limit.",
    source: "RFC 1870 section 6, RFC 3463 sections 3.3 and 3.4",
  },
  rejected(/^534$/, /^5\.7\.9$/, {
    hint: "The account uses 2-Step Verification: create an app password, and use it as password.",
    source: "https://support.google.com/accounts/answer/185833",
  }),
  {
    when: ({ reply, settings }) =>
      reply?.code === 535 &&
      reply.enhancedCode === "5.7.8" &&
      (GOOGLE.test(settings.host) || GOOGLE.test(reply.text)),
    hint: "Google does not accept the account's own password: turn on 2-Step Verification, create an app password, and use it as password.",
    source: "https://support.google.com/mail/?p=BadCredentials",
  },
  {
    when: ({ reply }) => reply?.enhancedCode === "5.7.139" && /credentials were incorrect/i.test(reply.text),
    hint: "Check user and password: Microsoft 365 does not recognize them.",
    source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
  },
  rejected(/^535$/, /^5\.7\.139$/, {
    hint: "SMTP AUTH is disabled for this mailbox or organization in Microsoft 365: an administrator must enable Authenticated SMTP, and security defaults must allow it.",
    source:
      "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
  }),
  rejected(/^5/, /^5\.7\.30$/, {
    hint: "Microsoft 365 no longer accepts a user and password for SMTP here: use High Volume Email, Azure Communication Services or another server.",
    source:
      "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online",
  }),
  rejected(/^5/, /^5\.7\.57$/, {
    hint: "The server requires authentication: set user and password, and enable Authenticated SMTP for the mailbox.",
    source:
      "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/fix-error-code-5-7-57-in-exchange-online",
  }),
  rejected(/^538$/, /./, {
    hint: "The server requires TLS before authentication: set starttls to true, or ssl to true with port 465.",
    source: "RFC 4954 section 6",
  }),
  {
    when: ({ reply }) => reply?.code === 530 && /tls|encrypt/i.test(reply.text),
    hint: "The server requires TLS: set starttls to true, or ssl to true with port 465.",
    source: "RFC 3207 section 4",
  },
  {
    when: ({ reply }) => reply?.code === 530,
    hint: "The server requires authentication: set user and password.",
    source: "RFC 4954 section 6",
  },
  {
    when: ({ stage, reply }) => stage === "tls" && reply !== undefined,
    hint: "The server offers STARTTLS but cannot start TLS: contact its administrator, or try port 465 with ssl.",
    source: "RFC 3207 section 4",
  },
  {
    when: ({ stage, reply }) => stage === "authentication" && (reply?.code ?? 500) < 500,
    hint: "The server cannot check passwords at the moment: try again in a few minutes.",
    source: "RFC 4954 section 6",
  },
  {
    when: ({ stage, reply }) => stage === "authentication" && (reply?.code ?? 0) >= 500,
    hint: "Check user and password. Many providers require the full email address as user, and an app password.",
    source: "RFC 4954 section 6, RFC 3463 section 3.8",
  },
  {
    when: ({ reply }) => /relay/i.test(reply?.text ?? "") && (reply?.code ?? 0) >= 500,
    hint: "The server does not relay for this sender: set user and password, or use the server that is responsible for the domain of from.",
    source: "RFC 5321 section 3.6.2, RFC 3463 section 3.8",
  },
  {
    when: ({ reply }) => /SendAsDenied/.test(reply?.text ?? ""),
    hint: "Microsoft 365 does not allow the user to send as this address: set from to the user's own address, or grant the user Send As permission for it.",
    source:
      "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
  },
  {
    when: ({ reply }) => /email address is not verified/i.test(reply?.text ?? ""),
    hint: "Amazon SES sends only for verified identities: verify the address or domain of from, and in the sandbox the recipient's, in the region of host.",
    source: "https://repost.aws/knowledge-center/ses-554-400-message-rejected-error",
  },
  rejected(/^5/, /^5\.7\.26$/, {
    hint: "The sender's domain does not authorize this server: add the server to the domain's SPF record, and sign with DKIM.",
    source: "RFC 7372 section 3.2, https://support.google.com/mail/answer/81126",
  }),
  {
    when: ({ reply }) => (reply?.code ?? 0) >= 500 && BLOCKED.test(`${reply?.enhancedCode} ${reply?.text}`),
    hint: "The server blocks this IP address of Cloudflare, or classifies the mail as spam: use the submission host of your mail provider (port 587 or 465), or ask the server's administrator to accept mail that is authenticated with your user and password.",
    source:
      "RFC 3463 section 3.8, https://learn.microsoft.com/defender-office-365/external-senders-troubleshooting",
  },
  {
    when: ({ stage, reply }) =>
      /^5\.7\./.test(reply?.enhancedCode ?? "") && (stage === "sender" || NOT_OWNED.test(reply?.text ?? "")),
    hint: "The user may not send as this address: set from (or envelopeFrom) to an address of the user, or have the server allow this one.",
    source: "RFC 3463 section 3.8, https://www.postfix.org/postconf.5.html#reject_sender_login_mismatch",
  },
  {
    when: ({ stage, reply }) => stage === "sender" && [550, 553, 554].includes(reply?.code ?? 0),
    hint: "The server does not accept this sender: set from (or envelopeFrom) to an address of the user.",
    source: "RFC 5321 section 4.2.2",
  },
  {
    when: ({ reply }) => reply !== undefined && reply.code >= 400 && reply.code < 500,
    hint: "The server rejects mail temporarily (greylisting, or too many mails in a short time): try again in a few minutes.",
    source: "RFC 5321 section 4.2.1, RFC 6647",
  },
  rejected(/^5/, /^5\.1\./, {
    hint: "The server does not recognize this address: check it.",
    source: "RFC 3463 section 3.2",
  }),
  {
    when: ({ stage }) => stage === "recipient",
    hint: "The server does not accept this recipient: check the address, and whether the server may send to it.",
    source: "RFC 5321 section 4.2.2",
  },
];

/** The hint for a failure. */
export function hintFor(symptom: Symptom): string {
  const row = ROWS.find(({ when }) => when(symptom));
  return row?.hint ?? "Contact the server's administrator, and quote the reply.";
}

function rejected(code: RegExp, enhancedCode: RegExp, row: Omit<Row, "when">): Row {
  const when = ({ reply }: Symptom) =>
    reply !== undefined && code.test(String(reply.code)) && enhancedCode.test(reply.enhancedCode ?? "");
  return { when, ...row };
}
