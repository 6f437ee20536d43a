import { describe, expect, it } from "vitest";
import { explain } from "../../src/smtp/explain.ts";
import type { Stage } from "../../src/smtp/result.ts";
import { smtpFailure } from "../support/smtp/failures.ts";
import { symptomOf } from "../support/smtp/symptoms.ts";

const { settings } = symptomOf({ stage: "recipient" });

describe("The sentence of a diagnosis follows the reply", () => {
  it.each<[Stage, string, string]>([
    ["recipient", "553 5.7.1 <o@example.com>: Sender address rejected: not owned by user ada", "the sender"],
    ["recipient", "450 4.1.8 <o@example.invalid>: Sender address rejected: Domain not found", "the sender"],
    ["recipient", "550 Sender verify failed", "the sender"],
    [
      "message",
      "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as o@example.com",
      "the sender",
    ],
    ["recipient", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", "this client"],
    ["greeting", "550 Access denied - Invalid HELO name", "this client"],
    ["recipient", "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied", "this client"],
    ["recipient", "554 5.7.1 <reader@example.org>: Relay access denied", "the recipient"],
    ["recipient", "550 5.7.1 <sender@example.org>: Recipient address rejected: no", "the recipient"],
    ["message", "554 5.6.0 no", "the message"],
    ["greeting", "421 4.7.0 Try again later, closing connection. (EHLO)", "this client"],
  ])("at %s: %s", (stage, reply, subject) => {
    const diagnosis = explain(smtpFailure("reply", stage, { reply }), { settings }).diagnosis;
    expect(diagnosis).toMatchObject({ message: `The SMTP server rejected ${subject}.`, stage });
  });
});

it("A diagnosis names our host name if the server rejects it", () => {
  const reply = "450 4.7.1 <mail.example.com>: Helo command rejected: Host not found";
  const failure = smtpFailure("reply", "recipient", { reply });
  expect(explain(failure, { settings, clientName: "mail.example.com" }).diagnosis.hint).toContain(
    "mail.example.com",
  );
  expect(explain(failure, { settings }).diagnosis.hint).toContain("HOSTNAME");
});

it("A diagnosis names the mechanisms that the server offers instead", () => {
  const failure = smtpFailure("authentication_not_offered", "authentication", {
    steps: [{ stage: "tls", milliseconds: 5, mechanisms: ["XOAUTH2"] }],
  });
  expect(explain(failure, { settings }).diagnosis.hint).toContain("XOAUTH2");
});
