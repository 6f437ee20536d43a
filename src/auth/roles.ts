import type { JWTPayload } from "jose";

/**
 * Whether a token carries one of `roles`: as a role of the realm's management client, as a realm role, or
 * as a word of `scope`, which is how a client without a user holds it.
 *
 * @see https://www.keycloak.org/docs/latest/server_admin/#_per_realm_admin_permissions
 * @see RFC 8693 section 4.2 for `scope`
 */
export function hasRole(claims: JWTPayload, roles: readonly string[]): boolean {
  const held = [
    ...strings(member(member(claims.resource_access, "realm-management"), "roles")),
    ...strings(member(claims.realm_access, "roles")),
    ...(typeof claims.scope === "string" ? claims.scope.split(" ") : []),
  ];
  return roles.some((role) => held.includes(role));
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
