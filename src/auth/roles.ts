import type { JWTPayload } from "jose";

/**
 * A role, and the only place where a token can hold it. Keycloak's three places are separate namespaces: an
 * administrator of a realm's clients can create a scope of any name.
 */
export type Role =
  | { type: "client"; client: string; name: string }
  | { type: "realm"; name: string }
  | { type: "scope"; name: string };

/**
 * Parses a role as variables name it: `client/role`, `realm:role` or `scope:word`. The last slash is the separator,
 * as client ids may be addresses.
 *
 * @returns `undefined` if the text has none of these forms
 */
export function parseRole(text: string): Role | undefined {
  const [, type, name] = /^(realm|scope):(.+)$/.exec(text) ?? [];
  if (name !== undefined) return { type: type === "realm" ? "realm" : "scope", name };
  const [, client, clientRole] = /^(.+)\/([^/]+)$/.exec(text) ?? [];
  if (client === undefined || clientRole === undefined) return undefined;
  return { type: "client", client, name: clientRole };
}

/** Formats a role as {@link parseRole} takes it. */
export function formatRole(role: Role): string {
  return role.type === "client" ? `${role.client}/${role.name}` : `${role.type}:${role.name}`;
}

/**
 * Whether verified claims grant one of `roles`.
 *
 * @see https://www.keycloak.org/docs/latest/server_admin/#_per_realm_admin_permissions
 * @see RFC 8693 section 4.2 for `scope`
 */
export function hasRole(claims: JWTPayload, roles: readonly Role[]): boolean {
  return roles.some((role) => grantedNames(claims, role).includes(role.name));
}

/**
 * Whether claims name roles at all. Keycloak's lightweight access tokens, and those of users without any role, do
 * not.
 */
export function hasRoleClaims(claims: JWTPayload): boolean {
  return "realm_access" in claims || "resource_access" in claims;
}

function grantedNames(claims: JWTPayload, role: Role): string[] {
  switch (role.type) {
    case "client":
      return strings(ownProperty(ownProperty(claims.resource_access, role.client), "roles"));
    case "realm":
      return strings(ownProperty(claims.realm_access, "roles"));
    case "scope":
      return typeof claims.scope === "string" ? claims.scope.split(" ") : [];
  }
}

function ownProperty(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
