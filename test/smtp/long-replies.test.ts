import { describe, expect, it } from "vitest";
import { explain } from "../../src/smtp/explain.ts";
import { parseReply } from "../../src/smtp/reply.ts";
import { smtpFailure } from "../support/smtp/failures.ts";
import { symptomOf } from "../support/smtp/symptoms.ts";

const link = `https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=${"AKgnsbsQ1x".repeat(20)}`;

describe("A reply of more than 200 characters", () => {
  it("keeps the sentence after a link that is wrapped over lines", () => {
    const raw = [
      `534-5.7.14 <${link.slice(0, 78)}`,
      `534-5.7.14 ${link.slice(78, 156)}`,
      `534-5.7.14 ${link.slice(156)}> Please log in via your web browser and then try again.`,
      "534-5.7.14  Learn more at",
      "534 5.7.14  https://support.google.com/mail/answer/78754 a640c23a62f3a - gsmtp",
    ].join("\r\n");
    expect(parseReply(raw).text).toBe(
      "Please log in via your web browser and then try again. a640c23a62f3a - gsmtp",
    );
  });

  it.each([
    ["550", "550"],
    ["550 5.7.26", "550-5.7.26"],
  ])("keeps the sentence on the line after a link (%s)", (last, first) => {
    const raw = `${first} For more information, please visit ${link}\r\n${last} The sender is not allowed.`;
    expect(parseReply(raw).text).toBe("The sender is not allowed.");
  });

  it("keeps the reason after a long address", () => {
    const address = `${"a".repeat(64)}@${"b".repeat(180)}.example`;
    expect(parseReply(`450 4.2.0 <${address}>: Recipient address rejected: Greylisted`).text).toBe(
      `<${"a".repeat(38)}… Recipient address rejected: Greylisted`,
    );
  });

  it("is cut at 200 characters all the same", () => {
    expect(parseReply(`550 ${"no ".repeat(300)}`).text).toHaveLength(200);
    expect(parseReply(`550 ${"📧".repeat(300)}`).text).toBe("📧".repeat(200));
    expect(parseReply(`550 ${link}`).text).toBe(link.slice(0, 200));
  });

  it("has a hint by its last words, too", () => {
    const { settings } = symptomOf({ stage: "message" });
    const reply = `550-5.7.30 ${"This mail has been blocked. ".repeat(20)}\r\n550 5.7.30 gsmtp`;
    const diagnosis = explain(smtpFailure("reply", "message", { reply }), { settings }).diagnosis;
    expect(diagnosis.hint).toMatch(/^Google cannot authenticate/);
    expect(diagnosis.reply?.length).toBeLessThanOrEqual(200);
  });

  it("is not read beyond 4 KiB, so that no server keeps the Worker busy", () => {
    const { settings } = symptomOf({ stage: "message" });
    const hintAfter = (length: number) => {
      const reply = `550 ${"no ".repeat(length / 3)}relay access denied`;
      return explain(smtpFailure("reply", "message", { reply }), { settings }).diagnosis.hint;
    };
    expect(hintAfter(3_000)).toMatch(/^The server does not relay/);
    expect(hintAfter(6_000)).toMatch(/^Contact the server's administrator/);
  });
});

describe("A reply of at most 200 characters", () => {
  it("keeps its link", () => {
    const raw =
      "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials gsmtp";
    expect(parseReply(raw).text).toContain("https://support.google.com/mail/?p=BadCredentials");
  });
});
