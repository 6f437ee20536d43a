import { describe, expect, it } from "vitest";
import { canProduceSame } from "../../src/auth/issuer-templates.ts";

describe("templates that can produce the same address", () => {
  it.each([
    ["https://{tenant}.example.com", "https://login.{tenant}.example.com"],
    ["https://id.example.com/{tenant}", "https://id.example.com/{tenant}-old"],
    ["https://id.example.com/{tenant}", "https://id.example.com/realm-{tenant}"],
    ["https://id.example.com/a{tenant}", "https://id.example.com/{tenant}b"],
    ["https://id.example.com/{tenant}/x/globex", "https://id.example.com/acme/x/{tenant}"],
    ["https://id.example.com/{tenant}/{tenant}", "https://id.example.com/{tenant}/main"],
    ["https://id.example.com/{tenant}", "https://id.example.com/{tenant}.X_9"],
  ])("%s, %s", (template, other) => {
    expect(canProduceSame(template, other)).toBe(true);
    expect(canProduceSame(other, template)).toBe(true);
  });
});

describe("templates that cannot", () => {
  it.each([
    ["https://id.example.com/auth/realms/{tenant}", "https://id.example.com/realms/{tenant}"],
    ["https://id.example.com/realms/{tenant}", "https://old.example.com/realms/{tenant}"],
    ["https://id.example.com/{tenant}", "https://id.example.com/{tenant}/v2"],
    ["https://{tenant}.example.com/realms/main", "https://example.com/realms/{tenant}"],
    ["https://{tenant}.example.com", "https://{tenant}.example.org"],
  ])("%s, %s", (template, other) => {
    expect(canProduceSame(template, other)).toBe(false);
    expect(canProduceSame(other, template)).toBe(false);
  });
});
