import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { attempt, expectSaved, expectUnauthorized, storedFor } from "../support/attempt.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer, newTenant } from "../support/issuer.ts";
import { requestsTo, setBehaviour } from "../support/network.ts";
import { sampleSettings } from "../support/samples.ts";

const WRONG_ISSUER = "iss is not an issuer of this tenant";

describe.each(families)("another tenant's token ($family)", ({ address }) => {
  it.each(["GET", "POST", "DELETE"])(
    "does not pass for %s, and leaves the settings alone",
    async (method) => {
      const [ours, theirs] = [await newIssuer(undefined, "ES256"), await newIssuer(undefined, "ES256")];
      await expectSaved(await attempt(ours.tenant, await ours.token()));
      const before = await storedFor(ours.tenant);
      const body = method === "POST" ? { body: sampleSettings } : {};
      const response = await call(address(ours.tenant), { method, token: await theirs.token(), ...body });
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain(sampleSettings.host);
      expect(await storedFor(ours.tenant)).toBe(before);
    },
  );
});

describe("tenants whose names are alike", () => {
  it.each<[string, (tenant: string) => string]>([
    ["a prefix of it", (tenant) => tenant.slice(0, -1)],
    ["an extension of it", (tenant) => `${tenant}0`],
    ["it with a hyphenated end", (tenant) => `${tenant}-prod`],
    ["it with a hyphenated start", (tenant) => `prod-${tenant}`],
  ])("are told apart where the other is %s", async (_, alike) => {
    const tenant = newTenant();
    const other = await newIssuer(alike(tenant), "ES256");
    await expectUnauthorized(await attempt(tenant, await other.token()), WRONG_ISSUER);
  });
});

describe("iss", () => {
  it.each<[string, (issuer: string) => string]>([
    ["a slash at its end", (issuer) => `${issuer}/`],
    ["white space at its end", (issuer) => `${issuer} `],
    ["capital letters", (issuer) => issuer.toUpperCase()],
    ["a capital scheme", (issuer) => issuer.replace("https", "HTTPS")],
    ["plain http", (issuer) => issuer.replace("https", "http")],
    ["the default port", (issuer) => issuer.replace("example.com", "example.com:443")],
    ["a trailing dot on its host", (issuer) => issuer.replace("example.com", "example.com.")],
    ["a detour in its path", (issuer) => issuer.replace("realms/", "realms/master/../")],
    ["a percent-encoded letter", (issuer) => issuer.replace("realms/t", "realms/%74")],
    ["a query", (issuer) => `${issuer}?x=1`],
    [
      "the true one as its user name",
      (issuer) => `${issuer.replace("example.com/", "example.com@evil.test/")}`,
    ],
    ["the true host as a subdomain", (issuer) => issuer.replace("example.com", "example.com.evil.test")],
    ["another tenant's host before the true path", (issuer) => issuer.replace("//", "//other.")],
  ])("does not pass with %s, even under the realm's own signature", async (_, change) => {
    const { tenant, issuer, token, fetches } = await newIssuer(undefined, "ES256");
    const changed = await token({ iss: change(issuer) });
    await expectUnauthorized(await attempt(tenant, changed), WRONG_ISSUER);
    expect(await fetches()).toBe(0);
  });

  it("of a stranger is never asked for keys, however good its shape", async () => {
    const { tenant } = await newIssuer(undefined, "ES256");
    const stranger = await newIssuer(undefined, "ES256");
    const iss = `https://evil-${tenant}.test/auth/realms/${tenant}`;
    const certs = `${iss}/protocol/openid-connect/certs`;
    await setBehaviour(certs, { kind: "answer", body: JSON.stringify({ keys: [stranger.publicJwk] }) });
    await expectUnauthorized(await attempt(tenant, await stranger.token({ iss })), WRONG_ISSUER);
    expect(await requestsTo(certs)).toEqual([]);
  });

  it("with the placeholders of our own configuration is no issuer", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const literal = await token({ iss: "https://{hostname}/auth/realms/{tenant}" });
    await expectUnauthorized(await attempt(tenant, literal), WRONG_ISSUER);
  });

  it("may be the realm at the tenant's own host, whose keys are fetched there", async () => {
    const { tenant, token, publicJwk, fetches } = await newIssuer(undefined, "ES256");
    const iss = `https://${tenant}.example.com/auth/realms/${tenant}`;
    const certs = `${iss}/protocol/openid-connect/certs`;
    await setBehaviour(certs, { kind: "answer", body: JSON.stringify({ keys: [publicJwk] }) });
    await expectSaved(await attempt(tenant, await token({ iss })));
    expect(await requestsTo(certs)).toHaveLength(1);
    expect(await fetches()).toBe(0);
  });

  it("of the tenant's other realm at the tenant's host is refused", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const iss = `https://${tenant}.example.com/auth/realms/master`;
    await expectUnauthorized(await attempt(tenant, await token({ iss })), WRONG_ISSUER);
  });

  it("binds the token to its tenant where one key set serves all tenants", async () => {
    const { tenant, publicJwk, token } = await newIssuer(undefined, "ES256");
    const shared = { env: { JWKS: JSON.stringify({ keys: [publicJwk] }) } };
    await expectSaved(await attempt(tenant, await token(), shared));
    await expectUnauthorized(await attempt(newTenant(), await token(), shared), WRONG_ISSUER);
  });

  it("is expanded for the HOSTNAME in force", async () => {
    const { tenant, publicJwk, token } = await newIssuer(undefined, "ES256");
    const JWKS = JSON.stringify({ keys: [publicJwk] });
    const moved = { ...env, HOSTNAME: "example.org", JWKS };
    const url = `https://${tenant}.example.org/digitanium/v4/mail/config`;
    const response = await call(url, { token: await token(), env: moved });
    expect(response.status).toBe(401);
    const iss = `https://example.org/auth/realms/${tenant}`;
    expect((await call(url, { token: await token({ iss }), env: moved })).status).toBe(404);
  });
});
