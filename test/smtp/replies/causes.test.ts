import { describe, expect, it } from "vitest";
import type { Cause, Subject } from "../../../src/smtp/replies/row.ts";
import { rowFor } from "../../../src/smtp/replies/rows.ts";
import type { Stage } from "../../../src/smtp/result.ts";
import { symptomOf } from "../../support/smtp/symptoms.ts";

const GMAIL = "smtp.gmail.com";
const MICROSOFT_365 = "smtp.office365.com";
const NETEASE = "smtp.163.com";
const QQ = "smtp.qq.com";
const SES = "email-smtp.eu-west-1.amazonaws.com";

/** Rows as [stage, reply, subject, host]; the stage's own subject without `subject`. */
type Case = [Stage, string, (Subject | undefined)?, string?];

// Each reply is documented by its sender or reported in public. test/smtp/replies/hint-table.test.ts has more.
const REPLIES: Record<Cause, Case[]> = {
  server: [
    ["greeting", "421 4.3.2 mx.example.net too many errors, shutting down"],
    ["sender", "421 4.3.0 Temporary System Problem. Try again later. - gsmtp", undefined, GMAIL],
    ["sender", "450 4.7.1 <news@example.com>: Sender address rejected: Access denied, try again later"],
    ["sender", "451 4.7.500 Access denied, please try again later (AS705)", undefined, MICROSOFT_365],
    ["recipient", "451 4.7.1 <reader@example.org>: Recipient address rejected: Greylisted"],
    ["recipient", "451 4.4.5 mx.example.net system congested"],
    ["message", "421 too many messages in this connection", "session"],
    ["recipient", "452 4.5.3 too many recipients on this connection", "session"],
    ["sender", "450 MI:DMC 163 smtp1", "session", NETEASE],
    ["recipient", "550 5.7.606 Access denied, banned sending IP [192.0.2.7]", "connection", MICROSOFT_365],
    ["recipient", "550 5.7.511 Access denied, banned sender[192.0.2.7]", "connection", MICROSOFT_365],
    ["recipient", "550 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using b", "connection"],
    [
      "message",
      "521-5.7.1 Service unavailable; client [192.0.2.7] blocked using dnsbl.example",
      "connection",
    ],
    ["message", "550 5.7.1 Message from 192.0.2.7 rejected: listed in a blocklist", "connection"],
    ["sender", "550 5.7.1 Unfortunately, messages from [192.0.2.7] weren't sent: block list", "connection"],
    ["recipient", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", "connection"],
    ["message", "550 5.7.1 Administrative prohibition"],
  ],
  account: [
    ["authentication", "454 4.7.0 Too many login attempts, please try again later.", "logins", GMAIL],
    ["authentication", "421 Too many auth failures, try again later", "logins"],
    ["authentication", "451 Requested mail action not taken: too much fail authentication", "logins"],
    ["message", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "session", MICROSOFT_365],
    ["greeting", "421 4.3.2 mx.example.net too many concurrent sessions. Try later", "session"],
    ["greeting", "421 4.7.0 mx.example.net Error: too many connections from 192.0.2.7", "session"],
    ["message", "550 Sender frequency limited", undefined, QQ],
    ["message", "550 User ada@example.com has exceeded its hour limit"],
    ["sender", "452 4.4.5 Messages per second limit exceeded"],
    ["sender", "452 4.5.3 Daily message limit exceeded"],
    ["message", "454 Throttling failure: Maximum sending rate exceeded.", undefined, SES],
    ["sender", "451 MI:SFQ 163 smtp1", undefined, NETEASE],
    ["message", "550 5.4.5 Daily user sending limit exceeded.", undefined, GMAIL],
    [
      "message",
      "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException",
      undefined,
      MICROSOFT_365,
    ],
    [
      "message",
      "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message",
      undefined,
      MICROSOFT_365,
    ],
    ["message", "550 5.7.502 Access denied, banned sender", undefined, MICROSOFT_365],
    ["message", "550 5.7.708 Access denied, traffic not accepted from this IP", undefined, MICROSOFT_365],
  ],
  settings: [
    ["sender", "553 Mail from must equal authorized user", "sender", NETEASE],
    ["sender", "501 mail from address must be same as authorization user.", "sender", QQ],
    ["sender", "553 5.1.7 The sender's address is syntactically invalid", "sender"],
    ["message", "553 Relaying disallowed as other@example.com", "sender", "smtp.zoho.eu"],
    ["recipient", "553 Relaying disallowed"],
    ["recipient", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
    ["message", "550 5.7.1 Sending from domain example.com is not allowed", "sender"],
    ["message", "550 From header sender domain not verified", "sender"],
    ["message", "530 From/Sender domain is not verified for this workspace. From: a@example.com", "sender"],
    ["message", "403 You are not authorized to send from that email address", "sender"],
    ["message", "551 5.7.1 Not authorised to send from this header address", "sender"],
    ["message", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "sender"],
    [
      "message",
      "554 Message rejected: Email address is not verified. The following identities failed the check",
      "sender",
      SES,
    ],
    ["message", "550 Unauthenticated senders not allowed", "password", "smtp.sendgrid.net"],
    ["sender", "503 Error: need EHLO and AUTH first !", "password"],
    ["recipient", "550 5.7.1 Authentication required", "password"],
    ["authentication", "504 5.7.4 Unrecognized authentication type", "mechanism"],
    ["authentication", "504 5.7.4 Unrecognized authentication type", "mechanism", MICROSOFT_365],
    ["authentication", "500 5.5.1 Command unrecognized", "mechanism"],
    [
      "authentication",
      "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
      "mechanism",
      MICROSOFT_365,
    ],
    ["authentication", "550 User has no permission", undefined, NETEASE],
    ["message", "550-5.7.26 Your email has been blocked because the sender is unauthenticated.", "sender"],
  ],
  message: [
    ["recipient", "550 5.7.1 You do not have permission to send to this recipient", "recipient"],
    ["recipient", "550 5.7.124 Sender not in allowed-senders list", "recipient", MICROSOFT_365],
    ["recipient", "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission", "recipient", MICROSOFT_365],
    ["recipient", "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox", "recipient", MICROSOFT_365],
    ["message", "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", "recipient"],
    ["recipient", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "recipient"],
    [
      "recipient",
      "450 4.1.1 <reader@example.org>: Recipient address rejected: unverified address",
      "recipient",
    ],
    ["recipient", "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", "recipient"],
    ["recipient", "452 4.2.2 Mailbox full", "recipient"],
    ["message", "550 5.2.0 Mailbox unavailable", "recipient"],
    ["message", "554 DT:SPM 163 smtp1", "content", NETEASE],
    ["message", "550 Mail content denied", "content", QQ],
    ["message", "552 5.7.1 virus EICAR detected by Zoho Mail", "content", "smtp.zoho.eu"],
    ["message", "550 5.6.7 SMTPUTF8 is required, but was not offered", "content"],
    ["sender", "552 5.3.4 Message size exceeds fixed limit", "content"],
    ["recipient", "554 5.7.1 <reader@example.org>: Recipient address rejected: Access denied", "recipient"],
  ],
};

describe.each(Object.entries(REPLIES))("The cause %s", (cause, replies) => {
  it.each(replies)("at %s: %s", (stage, reply, subject, host) => {
    const row = rowFor(symptomOf({ stage, reply }, host));
    expect({ cause: row.cause, subject: row.subject }).toEqual({ cause, subject });
  });
});
