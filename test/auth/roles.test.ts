import { describe, expect, it } from "vitest";
import { hasRole, type Role } from "../../src/auth/roles.ts";

/** The role `manage-realm` in each of its three places. */
const ROLES: Role[] = [
  { type: "client", client: "realm-management", name: "manage-realm" },
  { type: "realm", name: "manage-realm" },
  { type: "scope", name: "manage-realm" },
];

describe("granted roles", () => {
  it.each<[string, Record<string, unknown>]>([
    ["a realm-management role", { resource_access: { "realm-management": { roles: ["manage-realm"] } } }],
    ["a realm role", { realm_access: { roles: ["offline_access", "manage-realm"] } }],
    ["the only scope value", { scope: "manage-realm" }],
    ["one of several scope values", { scope: "openid manage-realm email" }],
    [
      "a realm role beside malformed claims",
      { realm_access: { roles: [null, 7, "manage-realm"] }, scope: 5, resource_access: null },
    ],
  ])("accepts %s", (_, claims) => {
    expect(hasRole(claims, ROLES)).toBe(true);
  });

  it("accepts any one of several roles", () => {
    const roles: Role[] = [
      { type: "realm", name: "mail-admin" },
      { type: "realm", name: "realm-admin" },
    ];
    expect(hasRole({ realm_access: { roles: ["realm-admin"] } }, roles)).toBe(true);
  });
});

describe("other claims", () => {
  it.each<[string, Record<string, unknown>]>([
    ["no roles", {}],
    ["another role", { realm_access: { roles: ["view-realm"] } }],
    ["a role that starts alike", { realm_access: { roles: ["manage-realm-settings"] } }],
    ["the role in capitals", { realm_access: { roles: ["MANAGE-REALM"] } }],
    ["the role of another client", { resource_access: { account: { roles: ["manage-realm"] } } }],
    ["a top-level roles claim", { roles: ["manage-realm"] }],
    ["a scope value that starts alike", { scope: "manage-realm:read" }],
    ["scope values separated by commas", { scope: "openid,manage-realm" }],
    ["the claim scp", { scp: "manage-realm" }],
    ["the roles of Keycloak's master realm", { realm_access: { roles: ["admin", "create-realm"] } }],
  ])("do not grant a role: %s", (_, claims) => {
    expect(hasRole(claims, ROLES)).toBe(false);
  });

  it.each<[string, Record<string, unknown>]>([
    ["roles as a string", { realm_access: { roles: "manage-realm" } }],
    ["roles as an object", { realm_access: { roles: { "manage-realm": true } } }],
    ["roles as null", { realm_access: { roles: null } }],
    ["roles in a nested list", { realm_access: { roles: [["manage-realm"]] } }],
    ["roles without a string", { realm_access: { roles: [null, 1, {}] } }],
    ["realm_access as a string", { realm_access: "manage-realm" }],
    ["realm_access as a list", { realm_access: ["manage-realm"] }],
    ["realm_access as null", { realm_access: null }],
    ["resource_access as null", { resource_access: null }],
    ["resource_access as a list", { resource_access: ["realm-management"] }],
    ["realm-management as null", { resource_access: { "realm-management": null } }],
    ["realm-management as a string", { resource_access: { "realm-management": "manage-realm" } }],
    ["scope as a list", { scope: ["manage-realm"] }],
    ["scope as an object", { scope: { "manage-realm": true } }],
  ])("do not grant a role if malformed: %s", (_, claims) => {
    expect(hasRole(claims, ROLES)).toBe(false);
  });

  it("do not grant a role named like an inherited property", () => {
    const claims = { realm_access: {}, resource_access: { "realm-management": {} } };
    const names = ["constructor", "__proto__", "toString"];
    const roles = names.flatMap((name) => [
      ...ROLES.map((role): Role => ({ ...role, name })),
      { type: "client" as const, client: name, name },
    ]);
    expect(hasRole(claims, roles)).toBe(false);
  });

  it("do not grant a role through an inherited property", () => {
    const claims = { realm_access: Object.create({ roles: ["manage-realm"] }) };
    expect(hasRole(claims, ROLES)).toBe(false);
  });
});
