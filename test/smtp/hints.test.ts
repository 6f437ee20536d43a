import { describe, expect, it } from "vitest";
import { settingsSchema } from "../../src/settings/schema.ts";
import type { FailureKind, Stage } from "../../src/smtp/conversation.ts";
import { hintFor, ROWS } from "../../src/smtp/hints.ts";
import { parseReply } from "../../src/smtp/reply.ts";

interface Case {
  /** What a server said, word for word where it is a provider's; or what we found. */
  says: string | FailureKind;
  stage: Stage;
  settings?: Record<string, unknown>;
  hint: string;
}

const gmail = { host: "smtp.gmail.com" };
const ms365 = { host: "smtp.office365.com" };

// In the order of the table: each row is the first that fits one of these.
const cases: Case[] = [
  {
    says: "not_connected",
    stage: "connect",
    settings: { port: 587, ssl: true },
    hint: "Port 587 speaks STARTTLS",
  },
  {
    says: "not_smtp",
    stage: "greeting",
    settings: { port: 465, starttls: true },
    hint: "Port 465 speaks TLS from the first byte",
  },
  {
    says: "not_connected",
    stage: "connect",
    settings: { ssl: true },
    hint: "It may also be the server's certificate",
  },
  { says: "not_connected", stage: "connect", hint: "accepts connections from the internet" },
  { says: "not_smtp", stage: "greeting", hint: "does not greet and answer EHLO as an SMTP server does" },
  {
    says: "starttls_not_offered",
    stage: "tls",
    hint: "does not offer STARTTLS here, or something on the way",
  },
  { says: "credentials_need_tls", stage: "tls", hint: "sent over TLS only" },
  { says: "tls_failed", stage: "tls", hint: "certificate may not be one to trust" },
  { says: "plaintext_injected", stage: "tls", hint: "in clear where TLS was to begin" },
  {
    says: "authentication_not_offered",
    stage: "authentication",
    hint: "offers no AUTH that takes user and password",
  },
  { says: "smtputf8_not_offered", stage: "recipient", hint: "other letters than a-z before the @" },
  { says: "timeout", stage: "message", hint: "stopped answering" },
  { says: "closed", stage: "greeting", hint: "stopped answering" },
  { says: "protocol_error", stage: "sender", hint: "does not keep to SMTP" },
  {
    says: "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor 5b1f17b1804b1-gsmtp",
    stage: "authentication",
    settings: gmail,
    hint: "2-Step Verification on: make an app password",
  },
  {
    says: "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-gsmtp",
    stage: "authentication",
    settings: gmail,
    hint: "Google does not take the account's own password",
  },
  {
    says: "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
    stage: "authentication",
    settings: ms365,
    hint: "Microsoft 365 does not know them",
  },
  {
    says: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
    stage: "authentication",
    settings: ms365,
    hint: "Microsoft 365 has SMTP AUTH off",
  },
  {
    says: "550 5.7.30 Basic authentication is not supported for Client Submission.",
    stage: "authentication",
    settings: ms365,
    hint: "no longer takes a user and password",
  },
  {
    says: "530 5.7.57 Client not authenticated to send mail. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
    stage: "sender",
    settings: ms365,
    hint: "wants to know who sends: set user and password, and turn on Authenticated SMTP",
  },
  {
    says: "538 5.7.11 Encryption required for requested authentication mechanism",
    stage: "authentication",
    hint: "wants TLS before authentication",
  },
  { says: "530 5.7.0 Must issue a STARTTLS command first", stage: "sender", hint: "wants TLS first" },
  {
    says: "530 Authentication required",
    stage: "sender",
    hint: "wants to know who sends: set user and password.",
  },
  {
    says: "454 4.7.0 TLS not available due to local problem",
    stage: "tls",
    hint: "offers STARTTLS but cannot begin it",
  },
  {
    says: "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
    stage: "authentication",
    hint: "cannot check passwords at the moment",
  },
  {
    says: "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
    stage: "authentication",
    hint: "Check user and password",
  },
  {
    says: "535 Authentication Credentials Invalid",
    stage: "authentication",
    settings: { host: "email-smtp.eu-west-1.amazonaws.com" },
    hint: "Check user and password",
  },
  { says: "535 Incorrect authentication data", stage: "authentication", hint: "Check user and password" },
  {
    says: "554 5.7.1 <reader@example.org>: Relay access denied",
    stage: "recipient",
    hint: "does not relay for this sender",
  },
  { says: "550 relay not permitted", stage: "recipient", hint: "does not relay for this sender" },
  {
    says: "553 5.7.1 <other@example.com>: Sender address rejected: not owned by user ada@example.com",
    stage: "recipient",
    hint: "may not send as this address",
  },
  {
    says: "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message",
    stage: "message",
    settings: ms365,
    hint: "does not let the user send as this address",
  },
  {
    says: "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as other@example.com",
    stage: "message",
    settings: ms365,
    hint: "does not let the user send as this address",
  },
  {
    says: "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: sender@example.com",
    stage: "message",
    settings: { host: "email-smtp.eu-west-1.amazonaws.com" },
    hint: "Amazon SES sends for verified identities only",
  },
  {
    says: "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n550 5.7.26 https://support.google.com/mail/answer/81126 gsmtp",
    stage: "message",
    settings: gmail,
    hint: "add it to the domain's SPF record",
  },
  {
    says: "550 5.7.606 Access denied, banned sending IP [192.0.2.7]. To request removal from this list please visit https://sender.office.com/",
    stage: "recipient",
    settings: ms365,
    hint: "turns away this address",
  },
  {
    says: "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
    stage: "recipient",
    hint: "turns away this address",
  },
  {
    says: "550-5.7.1 Our system has detected that this message is likely unsolicited mail. To reduce the\n550 5.7.1 amount of spam sent from Gmail, this message has been blocked. gsmtp",
    stage: "message",
    settings: gmail,
    hint: "turns away this address",
  },
  {
    says: "554 5.7.1 Connection refused from blocked host",
    stage: "greeting",
    hint: "turns away this address",
  },
  { says: "550 Sender verify failed", stage: "sender", hint: "does not take this sender" },
  {
    says: "450 4.2.0 <reader@example.org>: Recipient address rejected: Greylisted",
    stage: "recipient",
    hint: "try again in some minutes",
  },
  {
    says: "454 Throttling failure: Maximum sending rate exceeded.",
    stage: "message",
    hint: "try again in some minutes",
  },
  {
    says: "421 4.7.0 Try again later, closing connection. (EHLO) gsmtp",
    stage: "greeting",
    settings: gmail,
    hint: "try again in some minutes",
  },
  {
    says: "550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 https://support.google.com/mail/?p=NoSuchUser gsmtp",
    stage: "recipient",
    settings: gmail,
    hint: "does not know this address",
  },
  {
    says: "552 5.3.4 Message size exceeds fixed limit",
    stage: "message",
    hint: "larger than the server takes",
  },
  {
    says: "552-5.2.3 Your message exceeded Google's message size limits.",
    stage: "message",
    hint: "larger than",
  },
  { says: "552 message size exceeds fixed maximum message size", stage: "sender", hint: "larger than" },
  { says: "too_large", stage: "message", hint: "larger than the server takes" },
  { says: "550 5.2.4 Mailing list expansion prohibited", stage: "message", hint: "Ask who runs the server" },
  { says: "550 Unrouteable address", stage: "recipient", hint: "does not take this recipient" },
  { says: "554 5.6.0 no", stage: "message", hint: "Ask who runs the server" },
];

function hintOf({ says, stage, settings = {} }: Case): string {
  const reply = /^\d/.test(says) ? parseReply(says) : undefined;
  return hintFor({
    kind: reply === undefined ? (says as FailureKind) : "reply",
    stage,
    settings: settingsSchema.parse({ host: "smtp.example.net", from: "sender@example.com", ...settings }),
    reply,
  });
}

describe("the hint", () => {
  it.each(cases)("for $says at $stage says: $hint", (symptom) => {
    expect(hintOf(symptom)).toContain(symptom.hint);
  });
});

describe("each row of the table", () => {
  it.each(ROWS)("has a source and a whole sentence: $hint", ({ hint, source }) => {
    expect(source).toMatch(/RFC \d{4}|^https:\/\/|CVE-\d{4}-\d+/);
    expect(hint).toMatch(/^[A-Z].*\.$/);
  });

  it.each(ROWS)("is reached by one of the symptoms above: $hint", ({ hint }) => {
    expect(cases.map(hintOf)).toContain(hint);
  });
});
