import { describe, expect, it } from "vitest";
import { isTenantId } from "../../src/http/tenant-id.ts";

describe("isTenantId", () => {
  it.each(["acme", "a", "0", "a".repeat(63), "a--b", "1-2"])("accepts %s", (text) => {
    expect(isTenantId(text)).toBe(true);
  });

  it.each<[string, string]>([
    ["an empty text", ""],
    ["a capital letter", "Acme"],
    ["64 characters", "a".repeat(64)],
    ["an underscore", "a_b"],
    ["a hyphen at the start", "-acme"],
    ["a hyphen at the end", "acme-"],
    ["only a hyphen", "-"],
    ["an A-label (RFC 5890)", "xn--mnchen-3ya"],
    ["another script", "münchen"],
    ["a dot", "acme.x"],
    ["a slash", "acme/x"],
    ["a space", "acme "],
    ["a line feed", "acme\n"],
    ["a NUL", "acme\0"],
    ["a path parameter", "acme;x=1"],
    ["a placeholder", "{tenant}"],
    ["a wildcard", "*"],
    ["a colon, which separates the parts of KV keys", "a:b"],
    ["a name that objects inherit", "__proto__"],
  ])("rejects %s", (_, text) => {
    expect(isTenantId(text)).toBe(false);
  });
});
