import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { expand, loadConfig, passThroughHostname } from "../src/config.ts";
import { call } from "./support/client.ts";
import { families } from "./support/families.ts";
import { INTROSPECTION } from "./support/introspection.ts";
import { newIssuer } from "./support/issuer.ts";
import { captureLogEntry } from "./support/log.ts";
import { jsonResponse, readJson } from "./support/responses.ts";
import { sampleSettings } from "./support/samples.ts";
import { attemptSave, expectSaved, storedFor } from "./support/save-attempt.ts";
import { newSettingsKeys } from "./support/settings-keys.ts";

/** Part of every malformed secret below, so that tests can search for it. */
const SECRET = "c2VjcmV0LWtleS1vZi0zMi1ieXRlcy0uLi4uLi4uLi4";

const notConfigured = jsonResponse(503, "SERVICE_UNAVAILABLE", "The service is not configured.");

const keySet = (...keys: unknown[]) => JSON.stringify({ keys });
const key = { kty: "oct", kid: "one", k: SECRET };

/** The Worker's bindings with changes; `undefined` unbinds one. */
function bindings(changes: { [Name in keyof Env]?: Env[Name] | undefined }): Env {
  return { ...env, ...changes } as Env;
}

describe("loadConfig", () => {
  it.each<[string, string | undefined, string]>([
    ["missing", undefined, "must be JSON"],
    ["empty", "", "must be JSON"],
    ["not JSON", SECRET, "must be JSON"],
    ["cut off", keySet(key).slice(0, -2), "must be JSON"],
    ["null", "null", "must be a JWK Set with at least one key"],
    ["a key outside a set", JSON.stringify(key), "must be a JWK Set with at least one key"],
    ["a set without keys", keySet(), "must be a JWK Set with at least one key"],
    ["a set of text", keySet(SECRET), "must be a JWK Set with at least one key"],
    ["a set of null", keySet(null), "must be a JWK Set with at least one key"],
  ])("rejects SETTINGS_KEYS that is %s, without quoting it", async (_, SETTINGS_KEYS, problem) => {
    await expectConfigError({ SETTINGS_KEYS }, `SETTINGS_KEYS ${problem}`);
  });

  it.each<[string, string, string]>([
    ["a key without kid", keySet({ ...key, kid: undefined }), "key 1 has no kid"],
    ["an empty kid", keySet({ ...key, kid: "" }), "key 1 has no kid"],
    ["a kid that is a number", keySet({ ...key, kid: 1 }), "key 1 has no kid"],
    ["a second key without kid", keySet(key, { kty: "oct", k: SECRET }), "key 2 has no kid"],
    ["the same kid twice", keySet(key, key), "each kid must be unique"],
    ["an RSA key", keySet({ ...key, kty: "RSA" }), 'key 1 must have kty "oct" and k'],
    ["a key without k", keySet({ ...key, k: undefined }), 'key 1 must have kty "oct" and k'],
    ["a key for another use", keySet({ ...key, alg: "HS256" }), "key 1: alg must be A256KW"],
    ["a 128-bit key", keySet({ ...key, k: SECRET.slice(0, 22) }), "key 1 must have 256 bits"],
    ["a 192-bit key", keySet({ ...key, k: SECRET.slice(0, 32) }), "key 1 must have 256 bits"],
    [
      "k of 31 bytes",
      keySet({ ...key, k: SECRET.slice(0, 42) }),
      "key 1: k must be the base64url form of a key",
    ],
    [
      "k in hexadecimal",
      keySet({ ...key, k: "00".repeat(32) }),
      "key 1: k must be the base64url form of a key",
    ],
    ["a key of zeros", keySet({ ...key, k: "A".repeat(43) }), "key 1: k must be random"],
    ["the same key under another kid", keySet(key, { ...key, kid: "other" }), "each k must be unique"],
    [
      "the same key in another spelling",
      keySet({ ...key, k: `${"B".repeat(42)}A` }, { ...key, k: `${"B".repeat(42)}B`, kid: "other" }),
      "each k must be unique",
    ],
    ["an empty k", keySet({ ...key, k: "" }), "key 1: k must be the base64url form of a key"],
  ])("rejects SETTINGS_KEYS with %s, without quoting it", async (_, SETTINGS_KEYS, problem) => {
    await expectConfigError({ SETTINGS_KEYS }, `SETTINGS_KEYS: ${problem}`);
  });

  it.each([
    undefined,
    "",
    "https://example.com",
    "example.com:443",
    "example.com/auth",
    "*.example.com",
    "example..com",
  ])("rejects HOSTNAME %j", async (HOSTNAME) => {
    await expectConfigError({ HOSTNAME }, "HOSTNAME must be a host name");
  });

  it.each<[string | undefined, string]>([
    [undefined, "ISSUERS must not be empty"],
    [" , ,", "ISSUERS must not be empty"],
    ["http://{tenant}.example.com", "ISSUERS must produce https addresses"],
    ["{tenant}", "ISSUERS must produce https addresses"],
    ["https://{tenant}.example.com,https://example.com", "ISSUERS: each template must contain {tenant}"],
    ["https://{tenant}.example.com/{realm}", "ISSUERS has an unknown placeholder"],
    ["https://{tenant}.example.com/{issuer}", "ISSUERS has an unknown placeholder"],
    [
      "https://{tenant}.{hostname},https://login.{tenant}.{hostname}",
      "ISSUERS: two templates can produce the same address for different tenants",
    ],
    [
      "https://{tenant}.{hostname},https://{tenant}-old.example.com",
      "ISSUERS: two templates can produce the same address for different tenants",
    ],
  ])("rejects ISSUERS %j", async (ISSUERS, reason) => {
    await expectConfigError({ ISSUERS }, reason);
  });

  it.each<[string | undefined, string]>([
    [undefined, "JWKS_URI must produce https addresses"],
    ["", "JWKS_URI must produce https addresses"],
    ["http://example.com/certs", "JWKS_URI must produce https addresses"],
    ["{issuer}/{", "JWKS_URI has an unknown placeholder"],
  ])("rejects JWKS_URI %j", async (JWKS_URI, reason) => {
    await expectConfigError({ JWKS_URI }, reason);
  });

  it.each([
    ["certs", "JWKS must be JSON"],
    [keySet(), "JWKS must be a JWK Set with at least one key"],
  ])("rejects JWKS %j", async (JWKS, reason) => {
    await expectConfigError({ JWKS }, reason);
  });

  it.each([
    "http://resolver.example/dns-query",
    "resolver.example",
    "https://ada:s3cret@resolver.example/dns-query",
    "https://resolver.example/dns-query{?dns}",
  ])("rejects DOH_URL %j", async (DOH_URL) => {
    await expectConfigError({ DOH_URL }, "DOH_URL must be an https address without placeholders");
  });

  describe.each(["ADMIN_ROLES", "SENDER_ROLES"])("with %s", (name) => {
    it.each([undefined, ","])("rejects %j", async (roles) => {
      await expectConfigError({ [name]: roles }, `${name} must not be empty`);
    });

    it("rejects a role without its kind", async () => {
      const forms = "client/role (such as realm-management/manage-realm), realm:role or scope:word";
      await expectConfigError({ [name]: "realm:a,mail-sender" }, `${name}: write role 2 as ${forms}`);
    });
  });

  it.each(["PASS_THROUGH", "ALLOW_PRIVATE_HOSTS"])(
    "rejects another word than true or false in %s",
    async (name) => {
      await expectConfigError({ [name]: "yes" }, `${name} must be "true" or "false"`);
    },
  );

  it.each<["SMTP_SETTINGS" | "TEST_RATE_LIMITER" | "OUTBOX", string]>([
    ["SMTP_SETTINGS", "a KV namespace"],
    ["TEST_RATE_LIMITER", "a rate limiter"],
    ["OUTBOX", "the Durable Object Outbox"],
  ])("rejects a missing binding of %s", async (name, what) => {
    await expectConfigError({ [name]: undefined }, `${name} must be bound to ${what}`);
  });

  it("parses the bindings once", async () => {
    const sameBindings = bindings({});
    expect(await loadConfig(sameBindings)).toBe(await loadConfig(sameBindings));
  });

  it("imports keys that cannot be exported", async () => {
    const { settingsKeys } = await loadConfig(bindings({}));
    const [{ key }] = settingsKeys;
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();
  });

  it("accepts a key that names its algorithm", async () => {
    const SETTINGS_KEYS = keySet({ ...key, alg: "A256KW", use: "enc" });
    expect((await loadConfig(bindings({ SETTINGS_KEYS }))).settingsKeys).toHaveLength(1);
  });

  it("normalizes HOSTNAME", async () => {
    expect(await loadConfig(bindings({ HOSTNAME: " Mail.Example.COM " }))).toMatchObject({
      hostname: "mail.example.com",
    });
  });

  it("requires no optional variable", async () => {
    const optional = { JWKS: undefined, AUDIENCE: undefined, ALLOW_PRIVATE_HOSTS: undefined };
    expect(await loadConfig(bindings(optional))).toMatchObject({
      inlineKeys: undefined,
      audience: undefined,
      allowPrivateHosts: false,
    });
  });
});

describe.each(families)("a Worker with an invalid configuration, $family", ({ address }) => {
  it.each<[string, Partial<Env>, string]>([
    ["secret", { SETTINGS_KEYS: SECRET }, "SETTINGS_KEYS must be JSON"],
    ["variable", { HOSTNAME: "" }, "HOSTNAME must be a host name"],
  ])("responds 503, and names the reason only in the log: %s", async (_, changes, reason) => {
    const { tenant, token, fetches } = await newIssuer(undefined, "ES256");
    const options = { token: await token(), body: sampleSettings, env: changes };
    const { response, line, entry } = await captureLogEntry(() => call(address(tenant), options));
    expect(entry).toMatchObject({ status: 503, error: "misconfigured", reason });
    expect(await readJson(response)).toEqual(notConfigured);
    expect(line).not.toContain(SECRET.slice(0, 8));
    expect(await fetches()).toBe(0);
    expect(await storedFor(tenant)).toBeNull();
  });
});

describe("a Worker", () => {
  it.each(["https://example.com/nothing/here", "https://example.org/"])(
    "responds 503 on every route while its configuration is invalid: %s",
    async (url) => {
      expect(await readJson(await call(url, { env: { SETTINGS_KEYS: "" } }))).toEqual(notConfigured);
    },
  );

  it("serves as soon as its configuration is valid", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const broken = await attemptSave(tenant, await token(), { env: { SETTINGS_KEYS: keySet() } });
    expect(broken.response.status).toBe(503);
    const { text } = await newSettingsKeys("repaired");
    await expectSaved(await attemptSave(tenant, await token(), { env: { SETTINGS_KEYS: text } }));
  });

  it("verifies tokens with the keys in JWKS, and fetches none", async () => {
    const { tenant, token, publicJwk, fetches } = await newIssuer(undefined, "ES256");
    const options = { token: await token(), env: { JWKS: keySet(publicJwk) } };
    expect((await call(families[0].address(tenant), options)).status).toBe(404);
    expect(await fetches()).toBe(0);
  });

  it("fetches keys from JWKS_URI", async () => {
    const { tenant, token, fetches } = await newIssuer(undefined, "ES256");
    const JWKS_URI = "https://{hostname}/auth/realms/{tenant}/protocol/openid-connect/certs";
    const ISSUERS = "https://id.example.net/{tenant}";
    const moved = await token({ iss: `https://id.example.net/${tenant}` });
    await expectSaved(await attemptSave(tenant, moved, { env: { JWKS_URI, ISSUERS } }));
    expect(await fetches()).toBe(1);
  });
});

describe("passThroughHostname", () => {
  it.each([
    ["true", "Example.com", "example.com"],
    ["true", "not a host", undefined],
    ["false", "example.com", undefined],
    ["TRUE", "example.com", undefined],
    [undefined, "example.com", undefined],
  ])("with PASS_THROUGH %j and HOSTNAME %j is %j", (PASS_THROUGH, HOSTNAME, hostname) => {
    expect(passThroughHostname(bindings({ PASS_THROUGH, HOSTNAME, SETTINGS_KEYS: "" }))).toBe(hostname);
  });
});

describe("expand", () => {
  it("replaces every known placeholder, and keeps others", () => {
    expect(expand("{a}-{b}-{a}-{c}", { a: "1", b: "2" })).toBe("1-2-1-{c}");
  });

  it("inserts values literally, even with $ or braces", () => {
    expect(expand("{a}/{b}", { a: "$&", b: "{a}" })).toBe("$&/{a}");
  });

  it.each(["constructor", "__proto__", "toString"])("ignores the inherited name %s", (name) => {
    expect(expand(`{${name}}`, {})).toBe(`{${name}}`);
  });
});

async function expectConfigError(changes: Parameters<typeof bindings>[0], message: string): Promise<void> {
  const error: unknown = await loadConfig(bindings(changes)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "ConfigError", message });
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(SECRET.slice(0, 8));
}

describe("introspection", () => {
  const jwk = JSON.parse(INTROSPECTION.INTROSPECTION_KEY);
  const { d: _, ...publicJwk } = jwk;

  it("is off by default, and on with a client and its key", async () => {
    expect((await loadConfig(env)).introspection).toBeUndefined();
    expect((await loadConfig(bindings(INTROSPECTION))).introspection).toEqual({
      clientId: "tenant-mail",
      key: { kid: "client-1", key: expect.objectContaining({ type: "private", extractable: false }) },
      uri: "{issuer}/protocol/openid-connect/token/introspect",
    });
  });

  it.each<[string, Parameters<typeof bindings>[0], string]>([
    [
      "a client without a key",
      { INTROSPECTION_KEY: "" },
      "INTROSPECTION_KEY must accompany INTROSPECTION_CLIENT_ID",
    ],
    [
      "a key without a client",
      { INTROSPECTION_CLIENT_ID: "" },
      "INTROSPECTION_CLIENT_ID must accompany INTROSPECTION_KEY",
    ],
    ["a key that is not JSON", { INTROSPECTION_KEY: SECRET }, "INTROSPECTION_KEY must be JSON"],
    ...[
      null,
      publicJwk,
      { ...jwk, kid: undefined },
      { ...jwk, alg: "HS256" },
      { ...jwk, d: SECRET.slice(9) },
    ].map((key): [string, Parameters<typeof bindings>[0], string] => [
      "a key that is no private JWK",
      { INTROSPECTION_KEY: JSON.stringify(key) },
      "INTROSPECTION_KEY must be a private JWK with kid and one of these alg: ES256, ES384, Ed25519, PS256, RS256",
    ]),
    [
      "one address for all issuers",
      { INTROSPECTION_URI: "https://a.example" },
      "INTROSPECTION_URI must contain {issuer} or {tenant}",
    ],
    [
      "an address without https",
      { INTROSPECTION_URI: "http://{tenant}.example" },
      "INTROSPECTION_URI must produce https addresses",
    ],
  ])("is a configuration error with %s (%#)", async (_, changes, problem) => {
    await expectConfigError({ ...INTROSPECTION, ...changes }, problem);
  });
});

describe("KEYCLOAK_ADMIN_URL", () => {
  it("is off by default", async () => {
    expect((await loadConfig(env)).keycloakAdminUrl).toBeUndefined();
  });

  it.each([
    ["http://{hostname}/admin/realms/{tenant}", "must produce https addresses"],
    ["https://{hostname}/admin/realms/{realm}", "has an unknown placeholder"],
    ["https://{hostname}/admin/realms/acme", "must contain {tenant}"],
  ])("rejects %s", async (KEYCLOAK_ADMIN_URL, problem) => {
    await expectConfigError({ KEYCLOAK_ADMIN_URL }, `KEYCLOAK_ADMIN_URL ${problem}`);
  });
});
