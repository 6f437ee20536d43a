import { describe, expect, it } from "vitest";
import { parseReply, withoutCredentials } from "../../src/smtp/reply.ts";

describe("parseReply", () => {
  it.each([
    ["535 5.7.8 Authentication failed", 535, "5.7.8", "Authentication failed"],
    ["550 no enhanced code", 550, undefined, "no enhanced code"],
    ["421", 421, undefined, ""],
    ["250-first\r\n250-second\r\n250 third", 250, undefined, "first second third"],
    ["550-by its first line\r\n250 and no other", 550, undefined, "by its first line and no other"],
    ["550-first\r\nrubbish", 550, undefined, "first rubbish"],
    ["550-5.7.26 one\n550 5.7.26 two", 550, "5.7.26", "one two"],
    ["535 5.7.139 three digits", 535, "5.7.139", "three digits"],
    ["554 3.1.1 is no class of RFC 3463", 554, undefined, "3.1.1 is no class of RFC 3463"],
    ["550 5.7.1.2 is too long a code", 550, "5.7.1", ".2 is too long a code"],
  ])("takes %j apart", (raw, code, enhancedCode, text) => {
    expect(parseReply(raw)).toEqual({ code, enhancedCode, text });
  });

  it("leaves out what a terminal or a page could act on", () => {
    expect(parseReply("550 a\u001b[2Jb\u0007c\u202ed\u2028e\u00a0f\ue000g").text).toBe("a [2Jb c d e f g");
  });

  it("cuts at 200 characters, and none of them in half", () => {
    expect(parseReply(`550 ${"📧".repeat(300)}`).text).toBe("📧".repeat(200));
  });
});

describe("withoutCredentials", () => {
  const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

  it.each([
    ["in clear", "s3cret"],
    ["of AUTH LOGIN", base64("s3cret")],
    ["of AUTH PLAIN", base64("\0ada\0s3cret")],
  ])("blots out the password in the form %s, each time", (_, form) => {
    expect(withoutCredentials(`535-x ${form}\r\n535 ${form}.`, "ada", "s3cret")).toBe(
      "535-x ***\r\n535 ***.",
    );
  });

  it("leaves codes as they are, whatever the password", () => {
    expect(withoutCredentials("535 5.7.8 not 5", "ada", "5")).toBe("535 5.7.8 not ***");
  });

  it("leaves a reply as it is where there is no password", () => {
    expect(withoutCredentials("535 5.7.8 no", undefined, undefined)).toBe("535 5.7.8 no");
  });
});
