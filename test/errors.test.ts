import { describe, expect, it } from "vitest";
import { INTROSPECTION_COOLDOWN_MS } from "../src/auth/introspection.ts";
import { JWKS_FAILURE_COOLDOWN_MS } from "../src/auth/jwks-cache.ts";
import { ApiError, contentOf } from "../src/errors.ts";

describe("Retry-After", () => {
  it.each([
    ["issuer_unavailable", JWKS_FAILURE_COOLDOWN_MS],
    ["introspection_unavailable", INTROSPECTION_COOLDOWN_MS],
  ] as const)("of %s is when the issuer is asked again", (kind, cooldownMs) => {
    const { headers } = contentOf(new ApiError(kind, { reason: "" }));
    expect(headers).toEqual({ "Retry-After": String(cooldownMs / 1_000) });
  });
});
