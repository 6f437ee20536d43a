import type { JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { type Attempt, attempt, expectSaved, storedFor } from "../support/attempt.ts";
import { newIssuer } from "../support/issuer.ts";

const noRole = { resource_access: undefined };

describe("the role of an administrator", () => {
  it.each<[string, JWTPayload]>([
    ["a role of realm-management", { resource_access: { "realm-management": { roles: ["manage-realm"] } } }],
    ["a role of the realm", { realm_access: { roles: ["offline_access", "manage-realm"] } }],
    ["the only word of scope", { scope: "manage-realm" }],
    ["a word of scope among others", { scope: "openid manage-realm email" }],
  ])("may be %s", async (_, claims) => {
    await expectSaved(await attemptWith({ ...noRole, ...claims }));
  });

  it.each<[string, JWTPayload]>([
    ["no role at all", {}],
    ["another role", { realm_access: { roles: ["view-realm"] } }],
    ["a role that begins alike", { realm_access: { roles: ["manage-realm-settings"] } }],
    ["a role in capitals", { realm_access: { roles: ["MANAGE-REALM"] } }],
    ["the role of another client", { resource_access: { account: { roles: ["manage-realm"] } } }],
    ["the role at the top of the claims", { roles: ["manage-realm"] }],
    ["a word of scope that begins alike", { scope: "manage-realm:read" }],
    ["words of scope split by a comma", { scope: "openid,manage-realm" }],
    ["the role as its scope claim scp", { scp: "manage-realm" }],
    ["all roles of Keycloak's master realm", { realm_access: { roles: ["admin", "create-realm"] } }],
  ])("is not had with %s", async (_, claims) => {
    await expectForbidden(await attemptWith({ ...noRole, ...claims }));
  });

  it("is one of ADMIN_ROLES where there are several", async () => {
    const several = { env: { ADMIN_ROLES: "mail-admin, realm-admin" } };
    const claims = { ...noRole, realm_access: { roles: ["realm-admin"] } };
    await expectSaved(await attemptWith(claims, several));
  });

  it("is no longer manage-realm where ADMIN_ROLES names another", async () => {
    const other = { env: { ADMIN_ROLES: "mail-admin" } };
    await expectForbidden(await attemptWith({}, other), "mail-admin");
  });
});

describe("claims of roles in another shape", () => {
  it.each<[string, Record<string, unknown>]>([
    ["roles as a string", { realm_access: { roles: "manage-realm" } }],
    ["roles as an object", { realm_access: { roles: { "manage-realm": true } } }],
    ["roles as null", { realm_access: { roles: null } }],
    ["roles in a nested list", { realm_access: { roles: [["manage-realm"]] } }],
    ["roles among null and numbers only", { realm_access: { roles: [null, 1, {}] } }],
    ["realm_access as a string", { realm_access: "manage-realm" }],
    ["realm_access as a list", { realm_access: ["manage-realm"] }],
    ["realm_access as null", { realm_access: null }],
    ["resource_access as null", { resource_access: null }],
    ["resource_access as a list", { resource_access: ["realm-management"] }],
    ["realm-management as null", { resource_access: { "realm-management": null } }],
    ["realm-management as a string", { resource_access: { "realm-management": "manage-realm" } }],
    ["scope as a list", { scope: ["manage-realm"] }],
    ["scope as an object", { scope: { "manage-realm": true } }],
  ])("give no role: %s", async (_, claims) => {
    await expectForbidden(await attemptWith({ ...noRole, ...claims }));
  });

  it("do not hide a good role beside them", async () => {
    const claims = { realm_access: { roles: [null, 7, "manage-realm"] }, scope: 5, resource_access: null };
    await expectSaved(await attemptWith(claims));
  });

  it("give no role by a name that every object inherits", async () => {
    const inherited = { env: { ADMIN_ROLES: "constructor,__proto__,toString" } };
    const claims = { realm_access: {}, resource_access: { "realm-management": {} } };
    await expectForbidden(await attemptWith(claims, inherited), "constructor, __proto__, toString");
  });
});

async function attemptWith(claims: Record<string, unknown>, more = {}): Promise<Attempt> {
  const { tenant, token } = await newIssuer(undefined, "ES256");
  return attempt(tenant, await token(claims), more);
}

async function expectForbidden({ tenant, response }: Attempt, roles = "manage-realm"): Promise<void> {
  expect(response.status).toBe(403);
  expect(response.headers.get("WWW-Authenticate")).toBe('Bearer error="insufficient_scope"');
  expect(await response.json()).toEqual({
    message: `The token needs one of these roles: ${roles}.`,
    status: "FORBIDDEN",
    subSystem: 8,
  });
  expect(await storedFor(tenant)).toBeNull();
}
