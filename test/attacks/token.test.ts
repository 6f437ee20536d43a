import { describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { encoded, forged, hmacSigned, publicPem, withPart } from "../support/forge.ts";
import { administratorClaims, newIssuer } from "../support/issuer.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { sampleSettings } from "../support/samples.ts";
import {
  attemptSave,
  expectSaved,
  expectUnauthorized,
  type SaveAttempt,
  storedFor,
} from "../support/save-attempt.ts";

// One request per kind of attack. The tables of values are in test/auth/verify-token.test.ts and roles.test.ts.

const WRONG_SIGNATURE = "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe("a signature", () => {
  it("is rejected if it is HS256 with the issuer's public key in PEM as the secret", async () => {
    const realm = await newIssuer(undefined, "RS256");
    const header = { alg: "HS256", kid: realm.kid };
    const token = await hmacSigned(header, administratorClaims(realm.issuer), await publicPem(realm));
    await expectUnauthorized(await attemptSave(realm.tenant, token), "alg is not allowed");
  });

  it("is rejected if it is missing under alg none", async () => {
    const { tenant, issuer } = await newIssuer();
    const token = forged({ alg: "none", typ: "JWT" }, administratorClaims(issuer));
    await expectUnauthorized(await attemptSave(tenant, token), "alg is not allowed");
  });

  it("is rejected if the claims are changed after signing", async () => {
    const { tenant, issuer, token } = await newIssuer();
    const weak = await token({ resource_access: {} });
    const changed = withPart(weak, 1, encoded(administratorClaims(issuer)));
    await expectUnauthorized(await attemptSave(tenant, changed), WRONG_SIGNATURE);
  });

  it("is rejected if a stranger signs with the issuer's kid", async () => {
    const [realm, stranger] = [await newIssuer(), await newIssuer()];
    const token = await stranger.token({ iss: realm.issuer }, { kid: realm.kid });
    await expectUnauthorized(await attemptSave(realm.tenant, token), WRONG_SIGNATURE);
  });

  it("is accepted from Keycloak's default algorithm, RS256", async () => {
    const { tenant, token } = await newIssuer(undefined, "RS256");
    await expectSaved(await attemptSave(tenant, await token()));
  });
});

describe("a token's header", () => {
  it("cannot bring its own key as jwk", async () => {
    const [realm, stranger] = [await newIssuer(), await newIssuer()];
    const header = { kid: realm.kid, jwk: stranger.publicJwk };
    const token = await stranger.token({ iss: realm.issuer }, header);
    await expectUnauthorized(await attemptSave(realm.tenant, token), WRONG_SIGNATURE);
  });

  it.each(["jku", "x5u"])("never causes a fetch of its %s", async (member) => {
    const [realm, stranger] = [await newIssuer(), await newIssuer()];
    const address = `https://attacker.test/${crypto.randomUUID()}`;
    await setBehavior(address, { kind: "respond", body: JSON.stringify({ keys: [stranger.publicJwk] }) });
    const token = await stranger.token({ iss: realm.issuer }, { [member]: address });
    await expectUnauthorized(await attemptSave(realm.tenant, token), "ERR_JWKS_NO_MATCHING_KEY");
    expect(await requestsTo(address)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["crit", { crit: ["b64"], b64: true }, "crit is not supported"],
    ["the typ of a logout token", { typ: "logout+jwt" }, "header typ is neither JWT nor at+jwt"],
  ])("is rejected with %s", async (_, header, reason) => {
    const { tenant, token } = await newIssuer();
    await expectUnauthorized(await attemptSave(tenant, await token({}, header)), reason);
  });
});

describe("a token's claims", () => {
  it.each<[string, () => Record<string, unknown>, string]>([
    ["without exp", () => ({ exp: undefined }), "exp is missing or not a number"],
    ["past exp and the tolerance", () => ({ exp: inSeconds(-31) }), "token has expired"],
    ["before nbf", () => ({ nbf: inSeconds(60) }), "ERR_JWT_CLAIM_VALIDATION_FAILED nbf"],
    ["with a future iat", () => ({ iat: inSeconds(60) }), "iat is in the future"],
    ["of an ID token", () => ({ typ: "ID" }), "claim typ is not Bearer"],
  ])("are rejected %s", async (_, claims, reason) => {
    const { tenant, token } = await newIssuer();
    await expectUnauthorized(await attemptSave(tenant, await token(claims())), reason);
  });

  it.each<[string, Record<string, unknown>]>([
    ["another audience", { aud: "account" }],
    ["no audience", { aud: undefined }],
  ])("are rejected with %s if AUDIENCE is set", async (_, claims) => {
    const { tenant, token } = await newIssuer();
    const result = await attemptSave(tenant, await token(claims));
    await expectUnauthorized(result, "ERR_JWT_CLAIM_VALIDATION_FAILED aud");
  });

  it("are accepted with the audience that AUDIENCE names", async () => {
    const { tenant, token } = await newIssuer();
    const aud = ["account", "tenant-mail"];
    await expectSaved(await attemptSave(tenant, await token({ aud })));
  });
});

describe("a caller without the administrator role", () => {
  const noRole = { resource_access: undefined };

  it.each(families)("is forbidden ($family)", async ({ address }) => {
    const { tenant, token } = await newIssuer();
    const roles = { ...noRole, realm_access: { roles: ["view-realm"] }, scope: "openid" };
    const response = await call(address(tenant), { token: await token(roles), body: sampleSettings });
    await expectForbidden({ tenant, response, reason: undefined }, "realm-management/manage-realm");
  });

  it("is forbidden if ADMIN_ROLES names another role than the token has", async () => {
    const { tenant, token } = await newIssuer();
    const result = await attemptSave(tenant, await token(), { env: { ADMIN_ROLES: "mail/admin" } });
    await expectForbidden(result, "mail/admin");
  });

  it("is forbidden if ADMIN_ROLES names inherited properties", async () => {
    const { tenant, token } = await newIssuer();
    const claims = { realm_access: {}, resource_access: { "realm-management": {} } };
    const ADMIN_ROLES = "realm:constructor,realm-management/__proto__,toString/name";
    const result = await attemptSave(tenant, await token(claims), { env: { ADMIN_ROLES } });
    await expectForbidden(result, "realm:constructor, realm-management/__proto__, toString/name");
  });
});

describe("a caller with the administrator role", () => {
  it.each<[string, string, Record<string, unknown>]>([
    ["of the realm", "realm:admin", { realm_access: { roles: ["admin"] } }],
    ["in scope", "scope:admin", { scope: "openid admin" }],
  ])("saves by a role %s", async (_, ADMIN_ROLES, claims) => {
    const { tenant, token } = await newIssuer();
    const sent = await token({ resource_access: undefined, ...claims });
    await expectSaved(await attemptSave(tenant, sent, { env: { ADMIN_ROLES } }));
  });

  it("saves by one of several ADMIN_ROLES", async () => {
    const { tenant, token } = await newIssuer();
    const claims = { realm_access: { roles: ["realm-admin"] }, resource_access: undefined };
    const several = { env: { ADMIN_ROLES: "mail/admin, realm:realm-admin" } };
    await expectSaved(await attemptSave(tenant, await token(claims), several));
  });
});

async function expectForbidden({ tenant, response }: SaveAttempt, roles: string): Promise<void> {
  expect(response.status).toBe(403);
  expect(response.headers.get("WWW-Authenticate")).toBe('Bearer error="insufficient_scope"');
  expect(await response.json()).toEqual({
    message: `The token needs one of these roles: ${roles}.`,
    status: "FORBIDDEN",
    subSystem: 8,
  });
  expect(await storedFor(tenant)).toBeNull();
}
