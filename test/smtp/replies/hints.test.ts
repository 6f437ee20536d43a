import { describe, expect, it } from "vitest";
import type { FailureKind, Stage } from "../../../src/smtp/result.ts";
import type { SmtpSettings } from "../../../src/smtp/smtp-settings.ts";
import { hintFor, symptomOf } from "../../support/smtp/symptoms.ts";

interface Case {
  /** The server's reply, verbatim if it is a provider's; or what the client detects. */
  cause: string | FailureKind;
  stage: Stage;
  settings?: Partial<SmtpSettings>;
  hint: string;
}

const gmail = { host: "smtp.gmail.com" };
const ms365 = { host: "smtp.office365.com" };

// test/smtp/replies/hint-table.test.ts has an example of each hint. These are further symptoms, most of them verbatim.
const cases: Case[] = [
  { cause: "forbidden_destination", stage: "connect", hint: "Set host to a public host name" },
  {
    cause: "not_connected",
    stage: "connect",
    settings: { port: 587, ssl: true },
    hint: "Set ssl to false and starttls to true",
  },
  {
    cause: "not_smtp",
    stage: "greeting",
    settings: { port: 465, starttls: true },
    hint: "Set ssl to true",
  },
  {
    cause: "not_connected",
    stage: "connect",
    settings: { port: 465, ssl: true },
    hint: "The TLS handshake may also have failed",
  },
  { cause: "not_connected", stage: "connect", hint: "accepts connections from the internet" },
  { cause: "not_smtp", stage: "greeting", hint: "no valid SMTP greeting and EHLO reply" },
  {
    cause: "starttls_not_offered",
    stage: "tls",
    hint: "does not offer STARTTLS on this port, or something on the way",
  },
  { cause: "credentials_need_tls", stage: "tls", hint: "sent over TLS only" },
  { cause: "tls_failed", stage: "tls", hint: "The cause may be the certificate" },
  { cause: "plaintext_injected", stage: "tls", hint: "unencrypted data where TLS should begin" },
  {
    cause: "authentication_not_offered",
    stage: "authentication",
    hint: "offers no AUTH mechanism for a user and password",
  },
  { cause: "smtputf8_not_offered", stage: "recipient", hint: "only ASCII characters before the @" },
  { cause: "timeout", stage: "message", hint: "stopped responding" },
  { cause: "closed", stage: "greeting", hint: "stopped responding" },
  { cause: "protocol_error", stage: "sender", hint: "violates the SMTP protocol" },
  {
    cause:
      "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor 5b1f17b1804b1-gsmtp",
    stage: "authentication",
    settings: gmail,
    hint: "2-Step Verification: create an app password",
  },
  {
    cause:
      "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-gsmtp",
    stage: "authentication",
    settings: gmail,
    hint: "Google does not accept the account's own password",
  },
  {
    cause: "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
    stage: "authentication",
    settings: ms365,
    hint: "Microsoft 365 does not recognize them",
  },
  {
    cause:
      "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
    stage: "authentication",
    settings: ms365,
    hint: "SMTP AUTH is disabled",
  },
  {
    cause: "550 5.7.30 Basic authentication is not supported for Client Submission.",
    stage: "authentication",
    settings: ms365,
    hint: "does not accept a password here",
  },
  {
    cause: "530 5.7.57 Client not authenticated to send mail. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
    stage: "sender",
    settings: ms365,
    hint: "check user and password, and enable Authenticated SMTP",
  },
  {
    cause: "538 5.7.11 Encryption required for requested authentication mechanism",
    stage: "authentication",
    hint: "requires TLS before authentication",
  },
  { cause: "530 5.7.0 Must issue a STARTTLS command first", stage: "sender", hint: "requires TLS:" },
  {
    cause: "530 Authentication required",
    stage: "sender",
    hint: "requires authentication for this message",
  },
  {
    cause: "454 4.7.0 TLS not available due to local problem",
    stage: "tls",
    hint: "offers STARTTLS but cannot start TLS",
  },
  {
    cause: "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
    stage: "authentication",
    hint: "cannot check passwords at the moment",
  },
  {
    cause: "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
    stage: "authentication",
    hint: "Check user and password",
  },
  {
    cause: "535 Authentication Credentials Invalid",
    stage: "authentication",
    settings: { host: "email-smtp.eu-west-1.amazonaws.com" },
    hint: "Amazon SES expects SMTP credentials",
  },
  { cause: "535 Incorrect authentication data", stage: "authentication", hint: "Check user and password" },
  {
    cause: "554 5.7.1 <reader@example.org>: Relay access denied",
    stage: "recipient",
    hint: "does not relay for this sender",
  },
  { cause: "550 relay not permitted", stage: "recipient", hint: "does not relay for this sender" },
  {
    cause: "553 5.7.1 <other@example.com>: Sender address rejected: not owned by user ada@example.com",
    stage: "recipient",
    hint: "may not send as this address",
  },
  {
    cause:
      "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message",
    stage: "message",
    settings: ms365,
    hint: "does not allow the user to send as this address",
  },
  {
    cause: "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as other@example.com",
    stage: "message",
    settings: ms365,
    hint: "does not allow the user to send as this address",
  },
  {
    cause:
      "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: sender@example.com",
    stage: "message",
    settings: { host: "email-smtp.eu-west-1.amazonaws.com" },
    hint: "Amazon SES sends only for verified identities",
  },
  {
    cause:
      "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n550 5.7.26 https://support.google.com/mail/answer/81126 gsmtp",
    stage: "message",
    settings: gmail,
    hint: "add the server to the domain's SPF record",
  },
  {
    cause:
      "550 5.7.606 Access denied, banned sending IP [192.0.2.7]. To request removal from this list please visit https://sender.office.com/",
    stage: "recipient",
    settings: ms365,
    hint: "blocks this IP address",
  },
  {
    cause: "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
    stage: "recipient",
    hint: "blocks this IP address",
  },
  {
    cause:
      "550-5.7.1 Our system has detected that this message is likely unsolicited mail. To reduce the\n550 5.7.1 amount of spam sent from Gmail, this message has been blocked. gsmtp",
    stage: "message",
    settings: gmail,
    hint: "rejects the content of this message",
  },
  {
    cause: "554 5.7.1 Connection refused from blocked host",
    stage: "greeting",
    hint: "blocks this IP address",
  },
  { cause: "550 Sender verify failed", stage: "sender", hint: "cannot verify that the address of from" },
  {
    cause: "450 4.2.0 <reader@example.org>: Recipient address rejected: Greylisted",
    stage: "recipient",
    hint: "try again in a few minutes",
  },
  {
    cause: "454 Throttling failure: Maximum sending rate exceeded.",
    stage: "message",
    hint: "try again in a few minutes",
  },
  {
    cause: "421 4.7.0 Try again later, closing connection. (EHLO) gsmtp",
    stage: "greeting",
    settings: gmail,
    hint: "try again in a few minutes",
  },
  {
    cause:
      "550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 https://support.google.com/mail/?p=NoSuchUser gsmtp",
    stage: "recipient",
    settings: gmail,
    hint: "does not recognize this address",
  },
  {
    cause: "552 5.3.4 Message size exceeds fixed limit",
    stage: "message",
    hint: "does not accept messages of this size",
  },
  {
    cause: "552-5.2.3 Your message exceeded Google's message size limits.",
    stage: "message",
    hint: "does not accept messages of this size",
  },
  {
    cause: "552 message size exceeds fixed maximum message size",
    stage: "sender",
    hint: "does not accept messages of this size",
  },
  { cause: "too_large", stage: "message", hint: "exceeds the server's size limit" },
  {
    cause: "550 5.2.4 Mailing list expansion prohibited",
    stage: "message",
    hint: "mailbox or mailing list does not accept this message",
  },
  { cause: "550 Unrouteable address", stage: "recipient", hint: "does not accept this recipient" },
  { cause: "554 5.6.0 no", stage: "message", hint: "does not accept the content of this message" },
  { cause: "554 no", stage: "message", hint: "Contact the server's administrator" },
];

function hintOf({ cause, stage, settings = {} }: Case): string {
  const reply = /^\d/.test(cause) ? cause : undefined;
  const kind = reply === undefined ? (cause as FailureKind) : "reply";
  return hintFor(symptomOf({ stage, kind, settings, ...(reply === undefined ? {} : { reply }) }));
}

describe("hintFor", () => {
  it.each(cases)("explains $cause at $stage: $hint", (symptom) => {
    expect(hintOf(symptom)).toContain(symptom.hint);
  });
});
