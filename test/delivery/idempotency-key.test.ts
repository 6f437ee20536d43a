import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_KEY } from "../../openapi/send-mail.ts";
import { parseIdempotencyKey } from "../../src/delivery/idempotency-key.ts";

const { pattern = "" } = IDEMPOTENCY_KEY.schema;
const documented = new RegExp(pattern);

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
    ['"a, b"', "a, b"],
    ['","', ","],
  ])("reads %j", (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
    expect(header.trim()).toMatch(documented);
  });

  it.each([
    "",
    " ",
    '""',
    '"',
    '"open',
    '"a" b',
    '"a""b"',
    "a, b",
    "a,b",
    ",",
    "a,",
    ",a",
    '"a", "b"',
    '"a","a"',
    'a, "b"',
    '"a", b',
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
    expect(header.trim()).not.toMatch(documented);
  });
});
