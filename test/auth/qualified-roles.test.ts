import { describe, expect, it } from "vitest";
import { formatRole, hasRole, parseRole, type Role } from "../../src/auth/roles.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { captureLogEntry } from "../support/log.ts";
import { attemptSave, expectSaved, storedFor } from "../support/save-attempt.ts";

/** Each place where a token of any user may contain the word `manage-realm`. */
const PLACES: [string, Record<string, unknown>][] = [
  ["realm-management/manage-realm", { resource_access: { "realm-management": { roles: ["manage-realm"] } } }],
  ["account/manage-realm", { resource_access: { account: { roles: ["manage-realm"] } } }],
  ["realm:manage-realm", { realm_access: { roles: ["manage-realm"] } }],
  ["scope:manage-realm", { scope: "openid manage-realm" }],
];

const FORMS = "client/role (such as realm-management/manage-realm), realm:role or scope:word";

describe("parseRole", () => {
  it.each<[string, Role]>([
    ["realm-management/manage-realm", { type: "client", client: "realm-management", name: "manage-realm" }],
    ["https://app.example/x/admin", { type: "client", client: "https://app.example/x", name: "admin" }],
    ["urn:app/admin", { type: "client", client: "urn:app", name: "admin" }],
    ["realm:mail admin", { type: "realm", name: "mail admin" }],
    ["realm:mail/admin", { type: "realm", name: "mail/admin" }],
    ["scope:mail:admin", { type: "scope", name: "mail:admin" }],
  ])("parses %s, and formatRole restores it", (text, role) => {
    expect(parseRole(text)).toEqual(role);
    expect(formatRole(role)).toBe(text);
  });

  it.each([
    "",
    "manage-realm",
    "realm",
    "realm:",
    "scope:",
    "/",
    "client/",
    "/role",
    "Realm:admin",
    "role:x",
  ])("rejects %j", (text) => {
    expect(parseRole(text)).toBeUndefined();
  });
});

describe("hasRole", () => {
  it.each(PLACES)("finds %s in its own place only", (text, claims) => {
    const role = parseRole(text);
    if (role === undefined) throw new Error(text);
    expect(PLACES.filter(([, others]) => hasRole(others, [role]))).toEqual([[text, claims]]);
  });
});

describe("ADMIN_ROLES", () => {
  it.each(PLACES.slice(1))("does not accept %s by default", async (_, claims) => {
    const { tenant, token } = await newIssuer();
    const other = await token({ resource_access: undefined, ...claims });
    const { response } = await attemptSave(tenant, other);
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({
      message: expect.stringMatching(/needs one of these( roles)?: realm-management\/manage-realm\./),
      status: "FORBIDDEN",
      subSystem: 8,
    });
    expect(await storedFor(tenant)).toBeNull();
  });

  it.each(PLACES)("accepts %s if it is named", async (text, claims) => {
    const { tenant, token } = await newIssuer();
    const sent = await token({ resource_access: undefined, ...claims });
    await expectSaved(await attemptSave(tenant, sent, { env: { ADMIN_ROLES: `mail/none, ${text}` } }));
  });

  it("lists the roles as configured in the 403", async () => {
    const { tenant, token } = await newIssuer();
    const env = { ADMIN_ROLES: "https://app.example/admin,realm:mail admin , scope:mail" };
    const { response } = await attemptSave(tenant, await token(), { env });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      message: "The token needs one of these roles: https://app.example/admin, realm:mail admin, scope:mail.",
    });
  });

  it.each<[string, number]>([
    ["manage-realm", 1],
    ["realm:admin, manage-realm", 2],
    ["realm-management/", 1],
  ])("is a configuration error if a role is unqualified: %s", async (ADMIN_ROLES, position) => {
    const { tenant, token } = await newIssuer();
    const sent = { token: await token(), env: { ADMIN_ROLES } };
    const { response, entry } = await captureLogEntry(() => call(families[0].address(tenant), sent));
    expect(response.status).toBe(503);
    expect(entry).toMatchObject({
      error: "misconfigured",
      reason: `ADMIN_ROLES: write role ${position} as ${FORMS}`,
    });
  });
});
