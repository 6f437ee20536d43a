import { describe, expect, it } from "vitest";
import { parseReply, redactSecrets } from "../../src/smtp/reply.ts";

describe("parseReply", () => {
  it.each([
    ["535 5.7.8 Authentication failed", 535, "5.7.8", "Authentication failed"],
    ["550 no enhanced code", 550, undefined, "no enhanced code"],
    ["421", 421, undefined, ""],
    ["250-first\r\n250-second\r\n250 third", 250, undefined, "first second third"],
    ["550-the first line\r\n250 has the code", 550, undefined, "the first line has the code"],
    ["550-first\r\nrubbish", 550, undefined, "first rubbish"],
    ["550-5.7.26 one\n550 5.7.26 two", 550, "5.7.26", "one two"],
    ["535 5.7.139 three digits", 535, "5.7.139", "three digits"],
    ["554 3.1.1 has no class of RFC 3463", 554, undefined, "3.1.1 has no class of RFC 3463"],
    ["550 5.7.1.2 is too long a code", 550, "5.7.1", ".2 is too long a code"],
  ])("parses %j", (raw, code, enhancedCode, text) => {
    expect(parseReply(raw)).toEqual({ code, enhancedCode, text });
  });

  it.each([
    ["\u0000", "NUL"],
    ["\u0007", "bell"],
    ["\u001b", "escape"],
    ["\u0085", "next line"],
    ["\u00a0", "no-break space"],
    ["\u200b", "zero-width space"],
    ["\u202e", "right-to-left override"],
    ["\u2028", "line separator"],
    ["\u2066", "left-to-right isolate"],
    ["\ue000", "a private-use character"],
    [" \r\n550  ", "white space"],
  ])("replaces %j by one space (%s)", (character) => {
    expect(parseReply(`550 a${character}b`).text).toBe("a b");
  });

  it("keeps 200 characters, and splits no surrogate pair", () => {
    expect(parseReply(`550 ${"long ".repeat(2_000)}`).text).toBe("long ".repeat(40));
    expect(parseReply(`550 ${"📧".repeat(300)}`).text).toBe("📧".repeat(200));
  });
});

describe("redactSecrets", () => {
  it("redacts UTF-8 that is read as ISO 8859-1, and a secret with a line separator", () => {
    expect(redactSecrets("535 no pÃ¤ss here", ["päss"])).toBe("535 no *** here");
    expect(redactSecrets("535 no a\u2028b here", ["a\u2028b"])).toBe("535 no *** here");
  });

  const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

  it.each([
    ["as it is", "s3cret+/="],
    ["in base64", base64("s3cret+/=")],
    ["in base64 without padding", base64("s3cret+/=").replaceAll("=", "")],
  ])("redacts each secret %s", (_, form) => {
    expect(redactSecrets(`535-x ${form}\r\n535 ${form}.`, ["s3cret+/="])).toBe("535-x ***\r\n535 ***.");
  });

  it("redacts a secret that contains another completely", () => {
    expect(redactSecrets("535 \0ada\0pass", ["pass", "\0ada\0pass"])).toBe("535 ***");
  });

  it("redacts once, so that a password of asterisks does not grow", () => {
    expect(redactSecrets("535 a*b", ["*", "a"])).toBe("535 ******b");
  });

  it("keeps codes, whatever the secret", () => {
    expect(redactSecrets("535 5.7.8 not 5", ["5"])).toBe("535 5.7.8 not ***");
  });

  it.each([[[]], [[""]]])("returns the reply unchanged for %j", (secrets) => {
    expect(redactSecrets("535 5.7.8 no", secrets)).toBe("535 5.7.8 no");
  });
});
