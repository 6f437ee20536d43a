import { describe, expect, it } from "vitest";
import { examine } from "../../src/delivery/examine.ts";
import type { FailureReport } from "../../src/delivery/report.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { mayHaveArrived } from "../../src/smtp/diagnosis.ts";
import type { SmtpFailure } from "../../src/smtp/result.ts";
import { smtpFailure } from "../support/smtp/failures.ts";

const settings = settingsSchema.parse({ host: "smtp.example.net", from: "sender@example.com" });

function rejection(reply: string): SmtpFailure {
  return smtpFailure("reply", "recipient", { steps: [{ stage: "connect", milliseconds: 1 }], reply });
}

function reportOf(failure: SmtpFailure, recipient: string): FailureReport {
  return examine(failure, { settings, recipient }).report;
}

function replyOf(reply: string, recipient: string): string | undefined {
  return reportOf(rejection(reply), recipient).reply;
}

describe("the report of a failed attempt", () => {
  it("is worded like a failed test, without its steps", () => {
    expect(reportOf(rejection("550 5.1.1 no such user"), "ada@example.com")).toEqual({
      message: "The SMTP server rejected the recipient.",
      stage: "recipient",
      smtpCode: 550,
      enhancedCode: "5.1.1",
      reply: "no such user",
      hint: expect.any(String),
    });
  });

  it.each([
    ["550 5.1.1 <ada@example.com>: unknown", "<[recipient]>: unknown"],
    ["550 5.1.1 ADA@EXAMPLE.COM unknown", "[recipient] unknown"],
    ["550 5.1.1 ada@xn--exmple-cua.com: unknown", "[recipient]: unknown"],
    ["550 5.1.1 user ada does not exist", "user [recipient] does not exist"],
    [
      "550 5.1.1 RCPT TO:<ada@example.com> failed for ada@example.com",
      "RCPT TO:<[recipient]> failed for [recipient]",
    ],
    ["550-5.1.1 first <ada@example.com>\n550 5.1.1 then ada", "first <[recipient]> then [recipient]"],
    ["550 5.1.1 the adapter of canada failed", "the adapter of canada failed"],
  ])("redacts the recipient: %s", (reply, redacted) => {
    expect(replyOf(reply, "ada@example.com")).toBe(redacted);
  });

  it.each([
    ["a.b+c", "550 5.1.1 <a.b+c@example.com> unknown", "<[recipient]> unknown"],
    ["axb+c", "550 5.1.1 <a.b+c@example.com> unknown", "<a.b+c@example.com> unknown"],
    ["жуковский", "550 5.1.1 <жуковский@example.com> unknown", "<[recipient]> unknown"],
    ["5.1.1", "550 5.1.1 <5.1.1@example.com> unknown", "<[recipient]> unknown"],
    ["550", "550 5.1.1 <550@example.com> unknown", "<[recipient]> unknown"],
    ["(.*)", "550 5.1.1 unknown", "unknown"],
  ])("takes the local part %s literally, and keeps the codes", (localPart, reply, redacted) => {
    const report = reportOf(rejection(reply), `${localPart}@example.com`);
    expect(report).toMatchObject({ smtpCode: 550, enhancedCode: "5.1.1", reply: redacted });
  });

  it("redacts before it cuts, so that no half of an address remains", () => {
    const words = "word ".repeat(38);
    expect(replyOf(`550 5.1.1 ${words}ada.lovelace@example.com`, "ada.lovelace@example.com")).not.toContain(
      "ada.l",
    );
  });

  it("chooses the hint by the whole reply", () => {
    const reply = "554 5.7.1 relay access denied";
    const hint = reportOf(rejection(reply), "ada@example.com").hint;
    expect(reportOf(rejection(reply), "relay@example.com")).toMatchObject({
      hint,
      reply: "[recipient] access denied",
    });
  });

  it("says that a message may have arrived", () => {
    const report = { message: "It failed.", stage: "message", hint: "Wait." } as const;
    expect(mayHaveArrived(report)).toEqual({
      ...report,
      message: "It failed. The message may have arrived.",
    });
  });
});
