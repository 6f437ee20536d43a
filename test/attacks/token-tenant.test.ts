import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer, newTenant } from "../support/issuer.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { sampleSettings } from "../support/samples.ts";
import { attemptSave, expectSaved, expectUnauthorized, storedFor } from "../support/save-attempt.ts";

const WRONG_ISSUER = "iss is not an issuer of this tenant";

describe.each(families)("a token issued for another tenant ($family)", ({ address }) => {
  it.each(["GET", "POST", "DELETE"])("is rejected for %s, and changes nothing", async (method) => {
    const [ours, theirs] = [await newIssuer(), await newIssuer()];
    await expectSaved(await attemptSave(ours.tenant, await ours.token()));
    const before = await storedFor(ours.tenant);
    const body = method === "POST" ? { body: sampleSettings } : {};
    const response = await call(address(ours.tenant), { method, token: await theirs.token(), ...body });
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain(sampleSettings.host);
    expect(await storedFor(ours.tenant)).toBe(before);
  });
});

describe("a token whose iss is not an issuer of the tenant", () => {
  it.each<[string, (tenant: string) => string]>([
    ["a prefix of the tenant", (tenant) => tenant.slice(0, -1)],
    ["an extension of the tenant", (tenant) => `${tenant}-prod`],
  ])("is rejected if it names %s", async (_, alike) => {
    const tenant = newTenant();
    const other = await newIssuer(alike(tenant));
    await expectUnauthorized(await attemptSave(tenant, await other.token()), WRONG_ISSUER);
  });

  it("is rejected without a fetch, even if the realm's own key signs it", async () => {
    const { tenant, issuer, token, fetches } = await newIssuer();
    const lookalike = await token({ iss: `${issuer}/` });
    await expectUnauthorized(await attemptSave(tenant, lookalike), WRONG_ISSUER);
    expect(await fetches()).toBe(0);
  });

  it("never causes a fetch from the stranger it names", async () => {
    const [{ tenant }, stranger] = [await newIssuer(), await newIssuer()];
    const iss = `https://evil-${tenant}.test/auth/realms/${tenant}`;
    const certs = `${iss}/protocol/openid-connect/certs`;
    await setBehavior(certs, { kind: "respond", body: JSON.stringify({ keys: [stranger.publicJwk] }) });
    await expectUnauthorized(await attemptSave(tenant, await stranger.token({ iss })), WRONG_ISSUER);
    expect(await requestsTo(certs)).toEqual([]);
  });

  it("is rejected if it names another realm at the tenant's host", async () => {
    const { tenant, token } = await newIssuer();
    const iss = `https://${tenant}.example.com/auth/realms/master`;
    await expectUnauthorized(await attemptSave(tenant, await token({ iss })), WRONG_ISSUER);
  });

  it("is rejected even if one JWK Set serves all tenants", async () => {
    const { tenant, publicJwk, token } = await newIssuer();
    const options = { token: await token(), env: { JWKS: JSON.stringify({ keys: [publicJwk] }) } };
    const statusFor = async (other: string) => (await call(families[0].address(other), options)).status;
    expect([await statusFor(tenant), await statusFor(newTenant())]).toEqual([404, 401]);
  });
});

describe("the tenant's issuers", () => {
  it("include the realm at the tenant's own host, with its own keys", async () => {
    const { tenant, token, publicJwk, fetches } = await newIssuer();
    const iss = `https://${tenant}.example.com/auth/realms/${tenant}`;
    const certs = `${iss}/protocol/openid-connect/certs`;
    await setBehavior(certs, { kind: "respond", body: JSON.stringify({ keys: [publicJwk] }) });
    await expectSaved(await attemptSave(tenant, await token({ iss })));
    expect(await requestsTo(certs)).toHaveLength(1);
    expect(await fetches()).toBe(0);
  });

  it("depend on HOSTNAME", async () => {
    const { tenant, publicJwk, token } = await newIssuer();
    const JWKS = JSON.stringify({ keys: [publicJwk] });
    const moved = { ...env, HOSTNAME: "example.org", JWKS };
    const url = `https://${tenant}.example.org/digitanium/v4/mail/config`;
    expect((await call(url, { token: await token(), env: moved })).status).toBe(401);
    const iss = `https://example.org/auth/realms/${tenant}`;
    expect((await call(url, { token: await token({ iss }), env: moved })).status).toBe(404);
  });
});
