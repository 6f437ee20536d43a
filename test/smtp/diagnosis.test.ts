import { describe, expect, it } from "vitest";
import { settingsSchema } from "../../src/settings/schema.ts";
import { explain } from "../../src/smtp/explain.ts";
import type { FailureKind, Stage } from "../../src/smtp/result.ts";
import { smtpFailure } from "../support/smtp/failures.ts";

const settings = settingsSchema.parse({
  host: "smtp.example.net",
  from: "a@example.com",
  starttls: true,
  user: "ada",
  password: "s3cret",
});

function diagnosisOf(kind: FailureKind, stage: Stage, reply?: string) {
  return explain(smtpFailure(kind, stage, { silentMs: 5_170, ...(reply === undefined ? {} : { reply }) }), {
    settings,
  }).diagnosis;
}

describe("diagnose", () => {
  it.each<[FailureKind, Stage, string]>([
    ["forbidden_destination", "connect", "The host is not public, so no connection was made."],
    ["not_connected", "connect", "The SMTP server could not be reached."],
    ["not_smtp", "greeting", "The host accepted the connection, but did not respond as an SMTP server."],
    ["reply", "greeting", "The SMTP server rejected this client."],
    ["reply", "authentication", "The SMTP server rejected the user and password."],
    ["reply", "sender", "The SMTP server rejected the sender."],
    ["reply", "recipient", "The SMTP server rejected the recipient."],
    ["reply", "message", "The SMTP server rejected the message."],
    ["timeout", "tls", "The SMTP server timed out while handling STARTTLS."],
    ["closed", "message", "The SMTP server closed the connection while handling the message."],
    ["protocol_error", "sender", "The SMTP server sent an invalid reply while handling the sender."],
    ["starttls_not_offered", "tls", "STARTTLS is required, but the SMTP server does not offer it."],
    ["tls_failed", "tls", "The SMTP server accepted STARTTLS, but the TLS handshake failed."],
    ["plaintext_injected", "tls", "Unencrypted data followed the SMTP server's reply to STARTTLS."],
    [
      "credentials_need_tls",
      "tls",
      "The connection is not encrypted, so the user and password were not sent.",
    ],
    [
      "authentication_not_offered",
      "authentication",
      "The SMTP server does not offer authentication by user and password.",
    ],
    [
      "smtputf8_not_offered",
      "recipient",
      "The address of the recipient requires SMTPUTF8, which the SMTP server does not support.",
    ],
    ["too_large", "message", "The message exceeds the SMTP server's size limit."],
  ])("describes %s at %s in a sentence, with a hint", (kind, stage, message) => {
    const diagnosis = diagnosisOf(kind, stage);
    expect(diagnosis).toEqual({ message, stage, hint: expect.stringMatching(/\w.*\.$/), steps: [] });
  });

  it("contains the reply's codes and text", () => {
    expect(diagnosisOf("reply", "sender", "550-5.7.1 not\r\n550 5.7.1 yours")).toMatchObject({
      smtpCode: 550,
      enhancedCode: "5.7.1",
      reply: "not yours",
    });
  });

  it("contains no enhanced code if the reply has none", () => {
    expect(diagnosisOf("reply", "sender", "550 no")).not.toHaveProperty("enhancedCode");
  });

  it("contains the completed steps", () => {
    const steps = [{ stage: "connect", milliseconds: 3 } as const];
    expect(explain(smtpFailure("closed", "greeting", { steps }), { settings }).diagnosis.steps).toEqual(
      steps,
    );
  });
});
