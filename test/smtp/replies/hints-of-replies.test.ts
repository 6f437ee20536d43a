import { describe, expect, it } from "vitest";
import type { Stage } from "../../../src/smtp/result.ts";
import { hintFor, symptomOf } from "../../support/smtp/symptoms.ts";

const SES = "email-smtp.eu-west-1.amazonaws.com";
const GMAIL = "smtp.gmail.com";
const MICROSOFT_365 = "smtp.office365.com";

/** Hints as [stage, reply, hint, host]; a server of no known provider without `host`. */
type Case = [Stage, string, RegExp, string?];

function check([stage, reply, hint, host]: Case): void {
  expect(hintFor(symptomOf({ stage, reply }, host))).toMatch(hint);
}

describe("A full mailbox is not a message too large, nor a reason to try again", () => {
  const full = /^The recipient's mailbox is full/;

  it.each<Case>([
    ["recipient", "452 4.2.2 The email account that you tried to reach is over quota. - gsmtp", full, GMAIL],
    ["recipient", "552 5.2.2 Mailbox size limit exceeded", full],
    ["recipient", "552 Requested mail action aborted: exceeded storage allocation", full],
    ["recipient", "550 Quota Exceeded", full, "smtp.ionos.com"],
    ["message", "554 5.2.2 mailbox full", full],
    ["recipient", "552 5.2.2 <reader@icloud.com>: user is overquota", full],
    [
      "sender",
      "552 message size exceeds fixed maximum message size",
      /^The server does not accept messages of/,
    ],
    [
      "message",
      "552-5.2.3 Your message exceeded Google's message size limits.",
      /messages of this size/,
      GMAIL,
    ],
    ["message", "554 5.2.2 Submission quota exceeded", /^The mailbox has reached/, MICROSOFT_365],
  ])("%s: %s", (...args) => check(args));
});

describe("A quota, a suspended account or paused sending is no reason to try again soon", () => {
  const useless = /[Tt]rying again( soon)? does not help/;

  it.each<Case>([
    ["message", "550 5.4.5 Daily user sending limit exceeded. - gsmtp", useless, GMAIL],
    [
      "message",
      "550 5.4.5 Daily SMTP relay limit exceeded for customer. - gsmtp",
      useless,
      "smtp-relay.gmail.com",
    ],
    ["message", "454 Throttling failure: Daily message quota exceeded.", useless, SES],
    ["message", "554 Message rejected: Sending paused for this account.", useless, SES],
    ["authentication", "451 Authentication failed: Maximum credits exceeded", useless, "smtp.sendgrid.net"],
    ["recipient", "452 4.5.3 Daily message limit exceeded", useless],
    ["authentication", "535 5.7.8 Your account has been suspended", useless],
    ["authentication", "525 5.7.13 Sending temporarily disabled for this mailbox", useless, "smtps.aruba.it"],
    [
      "message",
      "421 Domain example.com is not allowed to send: Account disabled",
      useless,
      "smtp.mailgun.org",
    ],
    ["message", "454 Throttling failure: Maximum sending rate exceeded.", /in a few minutes/, SES],
    [
      "message",
      "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
      /in a few minutes/,
      MICROSOFT_365,
    ],
    ["recipient", "451 4.7.1 Rate limit exceeded, try again later", /in a few minutes/],
    [
      "recipient",
      "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
      /in a few minutes/,
    ],
  ])("%s: %s", (...args) => check(args));
});

describe("A temporary rejection of the sender asks for another attempt, not for another sender", () => {
  it.each<Case>([
    ["sender", "421 4.3.0 Temporary System Problem. Try again later. - gsmtp", /^The server asks/, GMAIL],
    ["sender", "450 4.7.1 <news@example.com>: Sender address rejected: try again later", /^The server asks/],
    [
      "sender",
      "451 4.7.500 Access denied, please try again later (AS705)",
      /^The server asks/,
      MICROSOFT_365,
    ],
    [
      "sender",
      "421 4.4.2 mx.example.net Error: timeout exceeded",
      /^The server rejects messages temporarily/,
    ],
    ["sender", "450 4.1.8 <a@b.invalid>: Sender address rejected: Domain not found", /^The domain of from/],
  ])("%s: %s", (...args) => check(args));
});

describe("Microsoft's retirement of passwords is explained with both ways out", () => {
  it.each<[string]>([
    ["550 5.7.30 Basic authentication is not supported for Client Submission."],
    ["535 5.7.139 Authentication unsuccessful, basic authentication is disabled."],
    ["535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."],
    ["504 5.7.4 Unrecognized authentication type [AM0PR.EURPRD.PROD.OUTLOOK.COM]"],
  ])("%s", (reply) => {
    const hint = hintFor(symptomOf({ stage: "authentication", reply }, MICROSOFT_365));
    expect(hint).toMatch(/administrator must enable|have an administrator enable/);
    expect(hint).toContain("end of December 2026");
    expect(hint).toContain("second half of 2027");
    expect(hint).toContain("only use OAuth");
  });
});

describe("The host name in EHLO is ours, and the hint says which it is", () => {
  const ours = /^The server does not accept mail\.example\.com, the name that this service gives in EHLO/;

  it.each<Case>([
    ["greeting", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", ours],
    ["greeting", "501 Syntactically invalid HELO argument(s)", ours],
    ["greeting", "501 5.5.4 Invalid domain name", ours],
    [
      "greeting",
      '501-5.5.4 HELO/EHLO argument "x_y" invalid, closing connection.\r\n501 5.5.4 gsmtp',
      ours,
      GMAIL,
    ],
    ["recipient", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", ours],
    ["greeting", "421 4.7.0 Try again later, closing connection. (EHLO) gsmtp", /in a few minutes/, GMAIL],
  ])("%s: %s", (...args) => check(args));
});

describe("A sender's domain that does not resolve is about from", () => {
  const domain = /^The domain of from \(or envelopeFrom\) does not exist/;

  it.each<Case>([
    ["recipient", "550 5.1.8 <news@example.invalid>: Sender address rejected: Domain not found", domain],
    ["sender", "553 5.1.8 <a@b.invalid>... Domain of sender address a@b.invalid does not exist", domain],
    [
      "recipient",
      "550 5.7.27 <a@b.example>: Sender address rejected: Domain b.example does not accept mail (nullMX)",
      domain,
    ],
    ["message", "550 5.1.8 Access denied, bad outbound sender", /^Microsoft has restricted/, MICROSOFT_365],
    ["sender", "554 5.1.8 Sender Address Blocked", /^Zoho has blocked/, "smtp.zoho.com"],
  ])("%s: %s", (...args) => check(args));
});

describe("The same code has another hint at another provider", () => {
  it.each<Case>([
    ["message", "550 5.7.30 This mail has been blocked because DKIM does not pass. - gsmtp", /DKIM/, GMAIL],
    [
      "authentication",
      "550 5.7.30 Basic authentication is not supported",
      /^Microsoft 365 does not accept a password/,
      MICROSOFT_365,
    ],
    ["message", "550 5.7.30 no", /^Contact the server's administrator/],
    ["message", "550 5.7.27 This mail has been blocked because SPF does not pass. - gsmtp", /SPF/, GMAIL],
    [
      "authentication",
      "525 5.7.1 Unauthorized IP address",
      /^Brevo blocks IP addresses/,
      "smtp-relay.brevo.com",
    ],
    ["authentication", "525 5.7.1 Unauthorized IP address", /^The server blocks this IP address/],
    ["authentication", "534 5.7.9 Authentication mechanism is too weak", /plain password/],
    ["authentication", "535 5.7.139 no", /Authenticated SMTP is enabled/, MICROSOFT_365],
    ["authentication", "535 5.7.139 no", /^Check user and password\. Many providers/],
  ])("%s: %s", (...args) => check(args));
});

describe("With a user", () => {
  it.each<Case>([
    ["recipient", "454 4.7.1 <reader@example.org>: Relay access denied", /^The server does not relay/],
    ["sender", "550 5.7.0 From address is not one of your addresses", /may not send as/, "smtp.mail.me.com"],
    [
      "message",
      "551 5.7.1 Not authorised to send from this header address",
      /may not send as/,
      "smtp.fastmail.com",
    ],
    [
      "sender",
      "553 5.7.1 Sender address rejected: not owned by auth user.",
      /may not send as/,
      "smtp.yandex.ru",
    ],
    [
      "message",
      "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
      /may not send as/,
    ],
    ["message", "530 5.7.1 You are not authorized to send mail as other@example.com", /may not send as/],
    ["message", "530 From/Sender name is not valid", /may not send as/],
    [
      "authentication",
      "454-4.7.0 Too many login attempts, please try again later. - gsmtp",
      /wait an hour/,
      GMAIL,
    ],
    [
      "authentication",
      "421 4.7.0 Temporary System Problem. Try again later - gsmtp",
      /in a few minutes/,
      GMAIL,
    ],
    ["authentication", "504 5.7.4 Unrecognized authentication type", /^Passwords are switched off/],
    ["authentication", "504 Unrecognized authentication type", /^The server does not accept AUTH/],
    ["recipient", "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]", /IP address/],
    [
      "message",
      "550-5.7.1 [192.0.2.7] The IP you're using to send mail is not authorized to\r\n550 5.7.1 gsmtp",
      /IP address/,
    ],
    ["recipient", "550 No such user here", /does not know this recipient/],
    ["message", "550 5.2.4 Mailing list expansion prohibited", /^The recipient's mailbox or mailing list/],
  ])("%s: %s", (...args) => check(args));
});

describe("Without a user", () => {
  const settings = [{ user: undefined }, { password: undefined }, { auth: false }];
  const hintsWithout = (stage: Stage, reply: string, host?: string) =>
    settings.map((settings) => hintFor(symptomOf({ stage, reply, settings }, host)));

  it.each<[Stage, string, string?]>([
    ["recipient", "454 4.7.1 <reader@example.org>: Relay access denied"],
    ["recipient", "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied"],
    ["recipient", "550 Invalid recipient"],
    ["recipient", "550 5.1.1 Invalid recipient: <reader@example.org>"],
    ["recipient", "550 5.7.1 Relaying denied. Proper authentication required."],
    ["recipient", "503 5.5.1 Error: need authentication"],
    ["sender", "530 5.7.0 Authentication required"],
    ["sender", "530 5.7.57 Client not authenticated to send mail.", MICROSOFT_365],
    ["sender", "553 5.7.1 <news@example.com>: Sender address rejected: not logged in"],
    ["recipient", "550-5.7.0 Mail relay denied [192.0.2.7].\r\n550 5.7.0 gsmtp", "smtp-relay.gmail.com"],
    ["message", "550 Unauthenticated senders not allowed", "smtp.sendgrid.net"],
    ["message", "451 4.7.1 Try again later"],
  ])("a rejected %s (%s) has the hint to set one", (stage, reply, host) => {
    for (const hint of hintsWithout(stage, reply, host)) {
      expect(hint).toMatch(/^Set user and password, and do not set auth to false: no user was sent/);
    }
  });

  it.each<[Stage, string]>([
    ["recipient", "550 5.1.1 <reader@example.org>: Recipient address rejected: User unknown"],
    ["recipient", "450 4.2.0 <reader@example.org>: Recipient address rejected: Greylisted"],
  ])("a rejected %s (%s) may have the cause that the reply names", (stage, reply) => {
    for (const hint of hintsWithout(stage, reply)) {
      expect(hint).toMatch(/set user and password/i);
      expect(hint).toMatch(/check the recipient|try again in a few minutes/);
    }
  });

  it.each<[Stage, string, RegExp]>([
    ["sender", "530 5.7.0 Must issue a STARTTLS command first", /requires TLS/],
    ["sender", "552 5.3.4 Message size exceeds fixed limit", /messages of this size/],
    ["recipient", "452 4.2.2 Mailbox full", /mailbox is full/],
    ["recipient", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", /in EHLO/],
    ["recipient", "450 4.1.8 <a@b.invalid>: Sender address rejected: Domain not found", /domain of from/],
    ["sender", "452 4.3.1 Insufficient system storage", /out of storage/],
    ["greeting", "554 5.7.1 Connection refused from blocked host", /IP address/],
  ])("a rejected %s (%s) has a cause that no user changes", (stage, reply, expected) => {
    for (const hint of hintsWithout(stage, reply)) expect(hint).toMatch(expected);
  });
});

describe("Without a reply", () => {
  it.each<[number, boolean, boolean, RegExp]>([
    [587, true, false, /^Set ssl to false and starttls to true/],
    [2587, true, false, /^Set ssl to false and starttls to true/],
    [2526, true, false, /If the port expects STARTTLS, set ssl to false and starttls to true/],
    [465, true, false, /If the port expects STARTTLS, set ssl to false and starttls to true/],
    [465, false, false, /If the port expects STARTTLS, set ssl to false and starttls to true/],
  ])("no connection on port %i with ssl %s names the setting", (port, ssl, starttls, hint) => {
    const symptom = symptomOf({ kind: "not_connected", stage: "connect", settings: { port, ssl, starttls } });
    expect(hintFor(symptom)).toMatch(hint);
  });

  it.each<[number, RegExp]>([
    [465, /^Set ssl to true/],
    [2465, /^Set ssl to true/],
    [587, /If the port expects implicit TLS, set ssl to true/],
    [4650, /If the port expects implicit TLS, set ssl to true/],
  ])("no greeting on port %i without ssl names the setting", (port, hint) => {
    expect(hintFor(symptomOf({ kind: "not_smtp", stage: "greeting", settings: { port } }))).toMatch(hint);
  });

  it.each(["tls_failed", "not_connected"] as const)("%s lists what may have failed in TLS", (kind) => {
    const hint = hintFor(symptomOf({ kind, stage: "tls", settings: { port: 465, ssl: true } }));
    for (const cause of ["certificate", "TLS version", "cipher", "client certificate"]) {
      expect(hint).toContain(cause);
    }
  });

  it.each([
    ["tls_failed", "tls"],
    ["ended_after_tls", "authentication"],
    ["closed", "authentication"],
  ] as const)("%s at %s may be a failure of the server's own", (kind, stage) => {
    expect(hintFor(symptomOf({ kind, stage }))).toMatch(/may be failing.*try again later/);
  });

  it("only other mechanisms than those for a password are named, without advice to set auth to false", () => {
    const symptom = symptomOf({
      kind: "authentication_not_offered",
      stage: "authentication",
      mechanisms: ["XOAUTH2", "OAUTHBEARER"],
    });
    expect(hintFor(symptom)).toMatch(/^The server offers AUTH by XOAUTH2, OAUTHBEARER only/);
    expect(hintFor(symptom)).not.toContain("auth to false");
  });
});
