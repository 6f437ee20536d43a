import { describe, expect, it } from "vitest";
import { parseIdempotencyKey } from "../../src/delivery/idempotency-key.ts";

describe("parseIdempotencyKey", () => {
  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ['  "login 4711" ', "login 4711"],
    ["login 4711", "login 4711"],
    [String.raw`"a \"quoted\" \\ key"`, String.raw`a "quoted" \ key`],
    [String.raw`back\slash`, String.raw`back\slash`],
    ["x".repeat(255), "x".repeat(255)],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
    ["~", "~"],
  ])("reads %j", (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  it("takes a quoted key and the same one without quotes for one key", () => {
    expect(parseIdempotencyKey('"login-4711"')).toBe(parseIdempotencyKey("login-4711"));
  });

  it.each([
    "",
    " ",
    '""',
    '"',
    '"open',
    '"a" b',
    '"a""b"',
    String.raw`"a\b"`,
    String.raw`"a\"`,
    "ключ",
    "tab\there",
    '"tab\there"',
    "line\nfeed",
    "\x7f",
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
  ])("rejects %j", (header) => {
    expect(parseIdempotencyKey(header)).toBeUndefined();
  });
});
