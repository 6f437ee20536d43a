import { describe, expect, it } from "vitest";
import { examine } from "../../src/delivery/examine.ts";
import type { FailureReport } from "../../src/delivery/report.ts";
import { mailSchema } from "../../src/delivery/schema.ts";
import type { MailContent } from "../../src/delivery/sealed-mail.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { mayHaveArrived } from "../../src/smtp/diagnosis.ts";
import type { SmtpFailure } from "../../src/smtp/result.ts";
import { smtpFailure } from "../support/smtp/failures.ts";

const settings = settingsSchema.parse({ host: "smtp.example.net", from: "sender@example.com" });

function rejection(reply: string): SmtpFailure {
  return smtpFailure("reply", "recipient", { steps: [{ stage: "connect", milliseconds: 1 }], reply });
}

function reportOf(
  failure: SmtpFailure,
  recipient: string,
  content: Partial<MailContent> = {},
): FailureReport {
  const mail = mailSchema.parse({ to: "ada@example.com", subject: "A subject", text: "A text" });
  return examine(failure, { settings }, { ...mail, to: recipient, ...content }).report;
}

function replyOf(reply: string, recipient: string, content?: Partial<MailContent>): string | undefined {
  return reportOf(rejection(reply), recipient, content).reply;
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

  it.each([
    ['"a..b"', '550 5.1.1 <"a..b"@example.com> unknown', "<[recipient]> unknown"],
    ['"a..b"', "550 5.1.1 <a..b@example.com> unknown", "<[recipient]> unknown"],
    ['"a..b"', "550 5.1.1 a..b: no such user", "[recipient]: no such user"],
    ['"a..b+code"', "550 5.1.1 <a..b+code@example.com> unknown", "<[recipient]> unknown"],
    ['"a..b+code"', "550 5.1.1 a..b: no such user", "[recipient]: no such user"],
    ['"a \\"b\\""', '550 5.1.1 a "b": no such user', "[recipient]: no such user"],
  ])("redacts the quoted recipient %s: %s", (localPart, reply, redacted) => {
    expect(replyOf(reply, `${localPart}@example.com`)).toBe(redacted);
  });

  it("redacts before it cuts, so that no half of an address remains", () => {
    const words = "word ".repeat(38);
    expect(replyOf(`550 5.1.1 ${words}ada.lovelace@example.com`, "ada.lovelace@example.com")).not.toContain(
      "ada.l",
    );
  });

  it.each([
    ["ada+code", "550 5.1.1 <ada+code@example.com> unknown", "<[recipient]> unknown"],
    [
      "ada+code",
      "550 5.1.1 <ada@example.com>: mailbox ada is full",
      "<[recipient]>: mailbox [recipient] is full",
    ],
    ["ada+code", "550 5.1.1 ada+code: no such user", "[recipient]: no such user"],
    ["+code", "550 5.1.1 <+code@example.com>: nobody", "<[recipient]>: nobody"],
  ])("redacts the recipient %s without its tag, too: %s", (localPart, reply, redacted) => {
    expect(replyOf(reply, `${localPart}@example.com`)).toBe(redacted);
  });

  it.each([
    ["Your code", "554 5.7.1 Spam: your code", "Spam: [subject]"],
    ["Your  code", "554-5.7.1 Spam: Your\n554 5.7.1 code", "Spam: [subject]"],
    ["no", "554 5.7.1 no way: it is not spam", "[subject] way: it is not spam"],
    ["Ihr Code für Käse", "554 5.7.1 =?utf-8?Q?Ihr_Code_f=C3=BCr_K=C3=A4se?=", "=?utf-8?Q?[subject]?="],
    ["Ihr Code für Käse", "554 5.7.1 =?utf-8?B?SWhyIENvZGUgZsO8ciBLw6RzZQ==?=", "=?utf-8?B?[subject]?="],
    [
      "A subject that a server does not quote to its end",
      "554 5.7.1 A subject that a server does not quote...",
      "[subject]...",
    ],
  ])("redacts the subject %s: %s", (subject, reply, redacted) => {
    expect(replyOf(reply, "ada@example.com", { subject })).toBe(redacted);
  });

  it.each([
    ["554 5.7.1 Blocked URL https://app.example.com/reset?t=Xy", "Blocked URL [URL]"],
    ["554 5.7.1 URL:app.example.com/reset is listed", "[URL] is listed"],
    ["554 5.7.1 <HTTPS://ada@APP.example.com:443/>", "<[URL]>"],
    ["554 5.7.1 hxxps://app.example.com/rese...", "[URL]"],
    ["554 5.7.1 see example.net/a and www.example.org?b", "see [URL] and [URL]"],
    ["554 5.7.1 app.example.com is listed", "app.example.com is listed"],
    ["554 5.7.1 see https://support.example.com/5", "see https://support.example.com/5"],
  ])("redacts links of the message: %s", (reply, redacted) => {
    const text = "Reset: https://app.example.com/reset?t=Xy, or example.net/abc";
    const html = '<img src="//www.example.org/pixel">';
    expect(replyOf(reply, "ada@example.com", { text, html })).toBe(redacted);
  });

  it.each([
    ["554 5.7.1 Spam: code 123456", "Spam: code [digits]"],
    ["554 5.7.1 Spam: 123 456 and 123-456", "Spam: [digits] and [digits]"],
    ["554 5.7.1 Spam: id99123456x", "Spam: id[digits]x"],
    ["554 5.7.1 Spam: 1234...", "Spam: [digits]..."],
    ["554 5.7.1 Spam: 987-654, 2468, ٤٥٦٧", "Spam: [digits], [digits], [digits]"],
    ["554 5.7.1 code 554 of 192.0.2.7 at 2026", "code 554 of 192.0.2.7 at 2026"],
  ])("redacts digits of the message, and no codes of the reply: %s", (reply, redacted) => {
    const content = { subject: "Order 2468", text: "Code 123456, 554, 192", html: "<b>987 654</b> ٤٥٦٧" };
    expect(replyOf(reply, "ada@example.com", content)).toBe(redacted);
  });

  it("redacts before it cuts, so that no part of a link remains", () => {
    const link = `https://app.example.com/${"a".repeat(300)}`;
    const reply = `554 5.7.1 ${"no ".repeat(60)}${link}`;
    expect(replyOf(reply, "ada@example.com", { text: link })).toBe(`${"no ".repeat(60)}[URL]`);
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
