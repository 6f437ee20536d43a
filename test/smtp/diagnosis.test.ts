import { describe, expect, it } from "vitest";
import { settingsSchema } from "../../src/settings/schema.ts";
import { type FailureKind, SmtpFailure, type Stage } from "../../src/smtp/conversation.ts";
import { diagnose } from "../../src/smtp/diagnosis.ts";
import { failureOf } from "../support/smtp/conversations.ts";
import { authenticated, replies } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";

const settings = settingsSchema.parse({
  host: "smtp.example.net",
  from: "a@example.com",
  starttls: true,
  user: "ada",
  password: "s3cret",
});

function diagnosisOf(kind: FailureKind, stage: Stage, reply?: string) {
  return diagnose(new SmtpFailure(kind, stage, [], reply), settings);
}

describe("a diagnosis", () => {
  it.each<[FailureKind, Stage, string]>([
    ["not_connected", "connect", "No connection to the SMTP server could be made."],
    ["not_smtp", "greeting", "A connection was made, but nothing greeted there as an SMTP server."],
    ["reply", "greeting", "The SMTP server refused the greeting."],
    ["reply", "authentication", "The SMTP server refused user and password."],
    ["reply", "sender", "The SMTP server refused the sender."],
    ["reply", "recipient", "The SMTP server refused the recipient."],
    ["reply", "message", "The SMTP server refused the message."],
    ["timeout", "tls", "The SMTP server took too long over the start of TLS."],
    ["closed", "message", "The SMTP server closed the connection at the message."],
    ["protocol_error", "sender", "The SMTP server answered at the sender in a way that SMTP does not know."],
    ["starttls_not_offered", "tls", "STARTTLS is required, but the SMTP server does not offer it."],
    ["tls_failed", "tls", "The SMTP server agreed to STARTTLS, but no TLS connection came about."],
    ["plaintext_injected", "tls", "Data in clear came after the SMTP server's answer to STARTTLS."],
    ["credentials_need_tls", "tls", "The connection is not encrypted, so user and password were not sent."],
    [
      "authentication_not_offered",
      "authentication",
      "The SMTP server does not offer to check a user and password.",
    ],
    [
      "smtputf8_not_offered",
      "recipient",
      "The SMTP server cannot take the recipient's address, as it lacks SMTPUTF8.",
    ],
  ])("says in a sentence what %s at %s is, and what to do", (kind, stage, message) => {
    const diagnosis = diagnosisOf(kind, stage);
    expect(diagnosis).toEqual({ message, stage, hint: expect.stringMatching(/\w.*\.$/), steps: [] });
  });

  it("has the reply's codes and text", () => {
    expect(diagnosisOf("reply", "sender", "550-5.7.1 not\r\n550 5.7.1 yours")).toMatchObject({
      smtpCode: 550,
      enhancedCode: "5.7.1",
      reply: "not yours",
    });
  });

  it("has no enhanced code where the reply has none", () => {
    expect(diagnosisOf("reply", "sender", "550 no")).not.toHaveProperty("enhancedCode");
  });

  it("hands on the steps that were passed", () => {
    const steps = [{ stage: "connect", milliseconds: 3 } as const];
    expect(diagnose(new SmtpFailure("closed", "greeting", steps), settings).steps).toEqual(steps);
  });
});

it("a mail over the server's SIZE is our own finding, and nothing of it is sent", async () => {
  const server = await scriptedServer([...authenticated("SIZE 10"), { hang: true }]);
  expect(await failureOf(server)).toMatchObject({
    message: "The message is larger than the SMTP server takes.",
    stage: "message",
    hint: "The message is larger than the server takes.",
  });
  expect((await server.findings()).lines.filter((line) => line.startsWith("MAIL"))).toEqual([]);
});

it("rubbish in answer to a whole message is not taken for a refusal of its size", async () => {
  const taken = [...replies("MAIL", "250 ok"), ...replies("RCPT", "250 ok"), ...replies("DATA", "354 ok")];
  const server = await scriptedServer([
    ...authenticated(),
    ...taken,
    ...replies(".", "rubbish"),
    { hang: true },
  ]);
  const diagnosis = await failureOf(server);
  expect(diagnosis).toMatchObject({
    message: "The SMTP server answered at the message in a way that SMTP does not know.",
    stage: "message",
  });
  expect(diagnosis).not.toHaveProperty("reply");
});
