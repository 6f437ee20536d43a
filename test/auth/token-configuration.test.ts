import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { newIssuer } from "../support/issuer.ts";
import { captureLog, PRIVATE_HOSTS_WARNING } from "../support/log.ts";
import { attemptSave } from "../support/save-attempt.ts";

const NO_AUDIENCE = {
  message: "configuration warning",
  reason: "AUDIENCE is not set: tokens for any client of a realm are valid",
};

const INLINE_JWKS = {
  message: "configuration warning",
  reason: "JWKS is for local work: the same keys sign for every tenant",
};

const PRIVATE_HOSTS = {
  message: "configuration warning",
  reason: PRIVATE_HOSTS_WARNING,
};

describe("JWKS_URI", () => {
  it.each([
    "https://example.com/certs",
    "https://{hostname}/auth/realms/master/protocol/openid-connect/certs",
  ])("is a configuration error if all tenants would share its keys: %s", async (JWKS_URI) => {
    const { tenant, token } = await newIssuer();
    const { response, reason } = await attemptSave(tenant, await token(), { env: { JWKS_URI } });
    expect([response.status, reason]).toEqual([503, "JWKS_URI must contain {issuer} or {tenant}"]);
  });

  it.each(["{issuer}/certs", "https://keys.example.com/{tenant}"])("may be %s", async (JWKS_URI) => {
    expect(await loadConfig({ ...env, JWKS_URI })).toMatchObject({ jwksUri: JWKS_URI });
  });
});

describe("the log", () => {
  it.each<[string, Partial<Env>, object[]]>([
    ["a complete configuration", {}, []],
    ["AUDIENCE if it is empty", { AUDIENCE: "" }, [NO_AUDIENCE]],
    ["ALLOW_PRIVATE_HOSTS in effect", { ALLOW_PRIVATE_HOSTS: "true" }, [PRIVATE_HOSTS]],
    ["JWKS if it is set", { JWKS: JSON.stringify({ keys: [{ kty: "EC" }] }) }, [INLINE_JWKS]],
  ])("warns of %s once, not per request", async (_, changes, warnings) => {
    const bindings = { ...env, ALLOW_PRIVATE_HOSTS: "false", ...changes };
    const { lines } = await captureLog(async () => {
      await Promise.all([loadConfig(bindings), loadConfig(bindings)]);
      await loadConfig(bindings);
    }, "");
    expect(lines.map((line) => JSON.parse(line))).toEqual(warnings);
  });

  it("has no warning of an invalid configuration, but an error", async () => {
    const bindings = { ...env, AUDIENCE: "", ADMIN_ROLES: "" };
    const { lines } = await captureLog(async () => {
      await expect(loadConfig(bindings)).rejects.toMatchObject({ name: "ConfigError" });
    });
    expect(lines).toEqual([]);
  });
});
