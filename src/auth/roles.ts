import type { JWTPayload } from "jose";

/**
 * Whether verified claims grant one of `roles`, as a role of Keycloak's `realm-management` client, as a realm
 * role, or as a `scope` value, which is how a client without a user gets it.
 *
 * @see https://www.keycloak.org/docs/latest/server_admin/#_per_realm_admin_permissions
 * @see RFC 8693 section 4.2 for `scope`
 */
export function hasRole(claims: JWTPayload, roles: readonly string[]): boolean {
  const granted = [
    ...strings(ownProperty(ownProperty(claims.resource_access, "realm-management"), "roles")),
    ...strings(ownProperty(claims.realm_access, "roles")),
    ...(typeof claims.scope === "string" ? claims.scope.split(" ") : []),
  ];
  return roles.some((role) => granted.includes(role));
}

function ownProperty(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
