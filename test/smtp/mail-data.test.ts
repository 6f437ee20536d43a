import { describe, expect, it } from "vitest";
import { encodeMailData } from "../../src/smtp/mail-data.ts";

describe("encodeMailData", () => {
  it.each([
    ["adds the final dot after CRLF", "a\r\n", "a\r\n."],
    ["ends the last line", "a", "a\r\n."],
    ["ends an empty message", "", "\r\n."],
    ["doubles a dot at the beginning", ".a\r\n", "..a\r\n."],
    ["doubles a dot at the beginning of a line", "a\r\n.b\r\n", "a\r\n..b\r\n."],
    ["doubles the dot of a line with nothing else", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n."],
    ["adds one dot to several", "..\r\n...\r\n", "...\r\n....\r\n."],
    ["leaves other dots unchanged", "a.b.\r\n", "a.b.\r\n."],
    ["turns LF into CRLF", "a\nb\n", "a\r\nb\r\n."],
    ["turns CR into CRLF", "a\rb\r", "a\r\nb\r\n."],
    ["doubles dots after LF and CR", "a\n.b\r.c", "a\r\n..b\r\n..c\r\n."],
    ["keeps UTF-8", "größe 日本\r\n", "größe 日本\r\n."],
  ])("%s", (_, text, encoded) => {
    expect(encodeMailData(Buffer.from(text))).toBe(encoded);
  });
});
