import { describe, expect, it } from "vitest";
import type { Message } from "../../src/mail/message.ts";
import { parseCapabilities } from "../../src/smtp/capabilities.ts";
import { envelopeCommands, envelopeProblem } from "../../src/smtp/envelope.ts";

/** A message of 300 bytes. */
function message(from: string, to: string, headerNeedsSmtpUtf8 = false): Message {
  return { envelope: { from, to }, raw: Buffer.alloc(300, "a"), headerNeedsSmtpUtf8 };
}

/** What a server offers in its EHLO reply. */
function capabilities(...extensions: string[]) {
  return parseCapabilities(["250-mx.example.net", ...extensions.map((line) => `250-${line}`)].join("\n"));
}

const plain = message("sender@example.com", "reader@example.org");

describe("envelopeCommands", () => {
  it.each([
    ["no extension", [], ""],
    ["SIZE (RFC 1870)", ["SIZE 1000"], " SIZE=300"],
    ["SIZE without a limit", ["SIZE"], " SIZE=300"],
    ["SMTPUTF8, which is not needed", ["SMTPUTF8"], ""],
  ])("announces for a server that offers %s: %j", (_, extensions, parameters) => {
    expect(envelopeCommands(plain, capabilities(...extensions))).toEqual([
      `MAIL FROM:<sender@example.com>${parameters}`,
      "RCPT TO:<reader@example.org>",
    ]);
  });

  it.each([
    ["sender", message("jörg@example.com", "reader@example.org")],
    ["recipient", message("sender@example.com", "δοκιμή@example.org")],
    ["header", message("sender@example.com", "reader@example.org", true)],
  ])("announces SMTPUTF8 (RFC 6531) for a non-ASCII %s", (_, international) => {
    const { from, to } = international.envelope;
    expect(envelopeCommands(international, capabilities("SIZE 1000", "SMTPUTF8"))).toEqual([
      `MAIL FROM:<${from}> SMTPUTF8 SIZE=300`,
      `RCPT TO:<${to}>`,
    ]);
  });

  it.each(["\r", "\n", "\0", "<", ">"])(
    "rejects an address with %j, which would inject a command",
    (character) => {
      const address = `a${character}b@example.com`;
      for (const [from, to] of [
        [address, "reader@example.org"],
        ["sender@example.com", address],
      ] as const) {
        expect(() => envelopeCommands(message(from, to), capabilities())).toThrow(
          "control character or angle",
        );
      }
    },
  );
});

describe("envelopeProblem", () => {
  it.each([
    ["sender", "sender", message("jörg@example.com", "δοκιμή@example.org")],
    ["recipient", "recipient", message("sender@example.com", "δοκιμή@example.org")],
    ["header", "sender", message("sender@example.com", "reader@example.org", true)],
  ])("reports that a non-ASCII %s requires SMTPUTF8, at the %s", (_, stage, international) => {
    expect(envelopeProblem(international, capabilities())).toEqual({ kind: "smtputf8_not_offered", stage });
    expect(envelopeProblem(international, capabilities("SMTPUTF8"))).toBeUndefined();
  });

  it.each([
    ["SIZE 299", { kind: "too_large", stage: "message" }],
    ["SIZE 300", undefined],
    ["SIZE 0", undefined],
    ["SIZE", undefined],
    ["HELP", undefined],
  ])("reports for a server that offers %s: %o", (extension, problem) => {
    expect(envelopeProblem(plain, capabilities(extension))).toEqual(problem);
  });
});
