import { describe, expect, it } from "vitest";
import { INTROSPECTION_COOLDOWN_MS } from "../src/auth/introspection.ts";
import { JWKS_FAILURE_COOLDOWN_MS } from "../src/auth/jwks-cache.ts";
import { API_ERRORS } from "../src/errors.ts";

describe("Retry-After", () => {
  it.each([
    ["issuer_unavailable", JWKS_FAILURE_COOLDOWN_MS],
    ["introspection_unavailable", INTROSPECTION_COOLDOWN_MS],
  ] as const)("of %s is when the issuer is asked again", (kind, cooldownMs) => {
    expect(API_ERRORS[kind].retryAfterSeconds).toBe(cooldownMs / 1000);
  });
});
