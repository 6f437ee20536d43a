import { exportJWK, generateKeyPair } from "jose";
import type { Issuer } from "./issuer.ts";
import type { Behavior } from "./issuer-network.ts";
import { requestsTo, setBehavior } from "./network.ts";

const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });

/** The public key of the introspecting client, as a realm holds it. */
export const clientPublicKey = publicKey;

/** Bindings that turn introspection on. */
export const INTROSPECTION = {
  INTROSPECTION_CLIENT_ID: "tenant-mail",
  INTROSPECTION_KEY: JSON.stringify({ ...(await exportJWK(privateKey)), kid: "client-1", alg: "ES256" }),
};

/** Address of an issuer's introspection endpoint. */
export function endpointOf({ issuer }: Issuer): string {
  return `${issuer}/protocol/openid-connect/token/introspect`;
}

/** Signs a token like those of Keycloak's admin-cli: without subject, audience, name and roles. */
export function lightweightToken({ token }: Issuer, claims: Record<string, unknown> = {}): Promise<string> {
  const absent = {
    sub: undefined,
    aud: undefined,
    preferred_username: undefined,
    resource_access: undefined,
  };
  return token({ ...absent, jti: "onltro:1", scope: "openid email profile", ...claims });
}

/** What Keycloak responds about ada's lightweight token, with changes. */
export function activeToken(issuer: Issuer, changes: Record<string, unknown> = {}) {
  return {
    active: true,
    iss: issuer.issuer,
    jti: "onltro:1",
    sub: "7b7a3f0e-0000-4000-8000-000000000001",
    aud: ["realm-management", "tenant-mail"],
    typ: "Bearer",
    azp: "admin-cli",
    preferred_username: "ada",
    email: "ada@example.com",
    resource_access: { "realm-management": { roles: ["manage-realm"] } },
    ...changes,
  };
}

/** Sets what an issuer's introspection endpoint responds: JSON, or any behavior. */
export async function respondTo(issuer: Issuer, response: { json: object } | Behavior): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const behavior: Behavior =
    "json" in response ? { kind: "respond", body: JSON.stringify(response.json), headers } : response;
  await setBehavior(endpointOf(issuer), behavior);
}

/** How many times the Worker has introspected. */
export async function introspections(issuer: Issuer): Promise<number> {
  return (await requestsTo(endpointOf(issuer))).length;
}
