import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { expand, loadConfig } from "../src/config.ts";
import { attempt, expectSaved, storedFor } from "./support/attempt.ts";
import { call } from "./support/client.ts";
import { families } from "./support/families.ts";
import { newIssuer } from "./support/issuer.ts";
import { logged } from "./support/request-lines.ts";
import { newSettingsKeys } from "./support/settings-keys.ts";

/** Stands in every malformed secret below, so that it can be looked for wherever it must not be. */
const SECRET = "c2VjcmV0LWtleS1vZi0zMi1ieXRlcy0uLi4uLi4uLi4";

const NOT_CONFIGURED = {
  message: "The service is not configured.",
  status: "SERVICE_UNAVAILABLE",
  subSystem: 8,
};

const keySet = (...keys: unknown[]) => JSON.stringify({ keys });
const key = { kty: "oct", kid: "one", k: SECRET };
const absent = undefined as unknown as string;

describe("a malformed SETTINGS_KEYS", () => {
  it.each<[string, string, string]>([
    ["missing", absent, "SETTINGS_KEYS must be JSON"],
    ["empty", "", "SETTINGS_KEYS must be JSON"],
    ["not JSON", SECRET, "SETTINGS_KEYS must be JSON"],
    ["cut off", keySet(key).slice(0, -2), "SETTINGS_KEYS must be JSON"],
    ["null", "null", "SETTINGS_KEYS must be a JWK Set with at least one key"],
    ["a key outside a set", JSON.stringify(key), "SETTINGS_KEYS must be a JWK Set with at least one key"],
    ["a set without keys", keySet(), "SETTINGS_KEYS must be a JWK Set with at least one key"],
    ["a set of text", keySet(SECRET), "SETTINGS_KEYS must be a JWK Set with at least one key"],
    ["a set of null", keySet(null), "SETTINGS_KEYS must be a JWK Set with at least one key"],
    ["a key without kid", keySet({ ...key, kid: undefined }), "SETTINGS_KEYS: key 1 has no kid"],
    ["an empty kid", keySet({ ...key, kid: "" }), "SETTINGS_KEYS: key 1 has no kid"],
    ["a kid that is a number", keySet({ ...key, kid: 1 }), "SETTINGS_KEYS: key 1 has no kid"],
    ["a kid that is there twice", keySet(key, key), "SETTINGS_KEYS: each kid must be there once"],
    ["an RSA key", keySet({ ...key, kty: "RSA" }), 'SETTINGS_KEYS: key 1 must have kty "oct" and k'],
    ["a key without k", keySet({ ...key, k: undefined }), 'SETTINGS_KEYS: key 1 must have kty "oct" and k'],
    ["a key for another use", keySet({ ...key, alg: "HS256" }), "SETTINGS_KEYS: key 1: alg must be A256KW"],
    ["128 bits", keySet({ ...key, k: SECRET.slice(0, 22) }), "SETTINGS_KEYS: key 1 must have 256 bits"],
    ["192 bits", keySet({ ...key, k: SECRET.slice(0, 32) }), "SETTINGS_KEYS: key 1 must have 256 bits"],
    [
      "a k of 31 bytes",
      keySet({ ...key, k: SECRET.slice(0, 42) }),
      "SETTINGS_KEYS: key 1: k must be the base64url form of a key",
    ],
    [
      "a k in hexadecimal",
      keySet({ ...key, k: "00".repeat(32) }),
      "SETTINGS_KEYS: key 1: k must be the base64url form of a key",
    ],
    ["an empty k", keySet({ ...key, k: "" }), "SETTINGS_KEYS: key 1: k must be the base64url form of a key"],
    ["a second key without kid", keySet(key, { kty: "oct", k: SECRET }), "SETTINGS_KEYS: key 2 has no kid"],
  ])("gives 503, and its reason only in the log: %s", async (_, SETTINGS_KEYS, reason) => {
    await expectMisconfigured({ SETTINGS_KEYS }, reason);
  });
});

describe("a malformed variable", () => {
  it.each<[string, Partial<Env>, string]>([
    ["no HOSTNAME", { HOSTNAME: absent }, "HOSTNAME must be a host name"],
    ["an empty HOSTNAME", { HOSTNAME: "" }, "HOSTNAME must be a host name"],
    ["HOSTNAME with a scheme", { HOSTNAME: "https://example.com" }, "HOSTNAME must be a host name"],
    ["HOSTNAME with a port", { HOSTNAME: "example.com:443" }, "HOSTNAME must be a host name"],
    ["HOSTNAME with a path", { HOSTNAME: "example.com/auth" }, "HOSTNAME must be a host name"],
    ["HOSTNAME as a wildcard", { HOSTNAME: "*.example.com" }, "HOSTNAME must be a host name"],
    ["HOSTNAME with an empty label", { HOSTNAME: "example..com" }, "HOSTNAME must be a host name"],
    ["no ISSUERS", { ISSUERS: absent }, "ISSUERS must not be empty"],
    ["ISSUERS of commas", { ISSUERS: " , ," }, "ISSUERS must not be empty"],
    ["ISSUERS over http", { ISSUERS: "http://{tenant}.example.com" }, "ISSUERS must give https addresses"],
    ["an issuer that is no address", { ISSUERS: "{tenant}" }, "ISSUERS must give https addresses"],
    [
      "one issuer for all tenants",
      { ISSUERS: "https://{tenant}.example.com,https://example.com" },
      "ISSUERS: each template must contain {tenant}",
    ],
    [
      "ISSUERS with an unknown placeholder",
      { ISSUERS: "https://{tenant}.example.com/{realm}" },
      "ISSUERS has an unknown placeholder",
    ],
    [
      "ISSUERS with the placeholder of JWKS_URI",
      { ISSUERS: "https://{tenant}.example.com/{issuer}" },
      "ISSUERS has an unknown placeholder",
    ],
    ["no JWKS_URI", { JWKS_URI: absent }, "JWKS_URI must give https addresses"],
    ["an empty JWKS_URI", { JWKS_URI: "" }, "JWKS_URI must give https addresses"],
    ["JWKS_URI over http", { JWKS_URI: "http://example.com/certs" }, "JWKS_URI must give https addresses"],
    ["JWKS_URI with an open brace", { JWKS_URI: "{issuer}/{" }, "JWKS_URI has an unknown placeholder"],
    ["JWKS that is not JSON", { JWKS: "certs" }, "JWKS must be JSON"],
    ["JWKS without keys", { JWKS: keySet() }, "JWKS must be a JWK Set with at least one key"],
    ["no ADMIN_ROLES", { ADMIN_ROLES: absent }, "ADMIN_ROLES must not be empty"],
    ["ADMIN_ROLES of commas", { ADMIN_ROLES: "," }, "ADMIN_ROLES must not be empty"],
  ])("gives 503, and its reason only in the log: %s", async (_, changes, reason) => {
    await expectMisconfigured(changes, reason);
  });

  it.each<[string, string]>([
    ["an unknown path", "https://example.com/nothing/here"],
    ["the other family", families[1].address("acme")],
    ["another host", "https://example.org/"],
  ])("gives 503 on every route: %s", async (_, url) => {
    const response = await call(url, { env: { SETTINGS_KEYS: "" } });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual(NOT_CONFIGURED);
  });

  it("gives 503 only while it is there", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const broken = await attempt(tenant, await token(), { env: { SETTINGS_KEYS: keySet() } });
    expect(broken.response.status).toBe(503);
    const { text } = await newSettingsKeys("mended");
    await expectSaved(await attempt(tenant, await token(), { env: { SETTINGS_KEYS: text } }));
  });
});

describe("a good configuration", () => {
  it("is parsed once", async () => {
    const bindings = { ...env };
    expect(await loadConfig(bindings)).toBe(await loadConfig(bindings));
  });

  it("holds keys that nobody can get out again", async () => {
    const { settingsKeys } = await loadConfig({ ...env });
    const [{ key }] = settingsKeys;
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();
  });

  it("may name its base host in capitals, with space around it", async () => {
    expect(await loadConfig({ ...env, HOSTNAME: " Mail.Example.COM " })).toMatchObject({
      hostname: "mail.example.com",
    });
  });

  it("may name the algorithm of its keys", async () => {
    const SETTINGS_KEYS = keySet({ ...key, alg: "A256KW", use: "enc" });
    expect((await loadConfig({ ...env, SETTINGS_KEYS })).settingsKeys).toHaveLength(1);
  });

  it("may leave everything optional out", async () => {
    expect(
      await loadConfig({ ...env, JWKS: absent, AUDIENCE: absent, ALLOW_PRIVATE_HOSTS: absent }),
    ).toMatchObject({
      inlineKeys: undefined,
      audience: undefined,
      allowPrivateHosts: false,
    });
  });

  it("may bring the issuers' keys along in JWKS, and nothing is fetched then", async () => {
    const { tenant, token, publicJwk, fetches } = await newIssuer(undefined, "ES256");
    await expectSaved(await attempt(tenant, await token(), { env: { JWKS: keySet(publicJwk) } }));
    expect(await fetches()).toBe(0);
  });

  it("may say where the keys are in JWKS_URI", async () => {
    const { tenant, token, fetches } = await newIssuer(undefined, "ES256");
    const JWKS_URI = "https://{hostname}/auth/realms/{tenant}/protocol/openid-connect/certs";
    const ISSUERS = "https://id.example.net/{tenant}";
    const moved = await token({ iss: `https://id.example.net/${tenant}` });
    await expectSaved(await attempt(tenant, moved, { env: { JWKS_URI, ISSUERS } }));
    expect(await fetches()).toBe(1);
  });
});

describe("expand", () => {
  it("puts each value in each of its places, and leaves what it does not know", () => {
    expect(expand("{a}-{b}-{a}-{c}", { a: "1", b: "2" })).toBe("1-2-1-{c}");
  });

  it("takes values as they are, with no meaning for $ or braces", () => {
    expect(expand("{a}/{b}", { a: "$&", b: "{a}" })).toBe("$&/{a}");
  });

  it.each(["constructor", "__proto__", "toString"])("knows no value by the inherited name %s", (name) => {
    expect(expand(`{${name}}`, {})).toBe(`{${name}}`);
  });
});

async function expectMisconfigured(changes: Partial<Env>, reason: string): Promise<void> {
  const { tenant, token, fetches } = await newIssuer(undefined, "ES256");
  const sent = {
    token: await token(),
    body: { host: "smtp.example.net", from: "a@example.com" },
    env: changes,
  };
  const { response, line, entry } = await logged(() => call(families[0].address(tenant), sent));
  expect(entry).toMatchObject({ status: 503, refusal: "misconfigured", reason });
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual(NOT_CONFIGURED);
  expect(line).not.toContain(SECRET.slice(0, 8));
  expect(await fetches()).toBe(0);
  expect(await storedFor(tenant)).toBeNull();
}
