import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { Behavior } from "./issuer-network.ts";
import { requestsTo, setBehavior } from "./network.ts";

/** A tenant's realm: signs tokens, and serves its JWK Set at `jwksUri`. */
export interface Issuer {
  tenant: string;
  issuer: string;
  jwksUri: string;
  kid: string;
  publicJwk: JWK;
  /** Signs an administrator's token, with changes to its claims or header (`undefined` removes a member). */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Serves a JWK Set of these keys from now on. */
  publish(...keys: object[]): Promise<void>;
  /** Changes how `jwksUri` behaves. */
  respondWith(behavior: Behavior): Promise<void>;
  /** How many times the Worker has fetched the JWK Set. */
  fetches(): Promise<number>;
}

let tenants = 0;

/** A tenant id that no other test uses: the isolate caches keys by tenant. */
export function newTenant(): string {
  return `t${++tenants}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Creates a realm with its own key pair, and serves its key. */
export async function newIssuer(tenant = newTenant(), alg = "ES256"): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const issuer = `https://example.com/auth/realms/${tenant}`;
  const jwksUri = `${issuer}/protocol/openid-connect/certs`;
  const kid = `${tenant}-1`;
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  const respondWith = (behavior: Behavior) => setBehavior(jwksUri, behavior);
  const publish = (...keys: object[]) => respondWith({ kind: "respond", body: JSON.stringify({ keys }) });
  await publish(publicJwk);
  return {
    tenant,
    issuer,
    jwksUri,
    kid,
    publicJwk,
    token: (claims = {}, header = {}) =>
      new SignJWT({ ...administratorClaims(issuer), ...claims })
        .setProtectedHeader({ alg, kid, typ: "JWT", ...header })
        .sign(privateKey),
    publish,
    respondWith,
    fetches: async () => (await requestsTo(jwksUri)).length,
  };
}

/** The claims of a Keycloak access token of a realm administrator. */
export function administratorClaims(issuer: string): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    iat: now,
    exp: now + 300,
    sub: "7b7a3f0e-0000-4000-8000-000000000001",
    typ: "Bearer",
    azp: "admin-cli",
    aud: "tenant-mail",
    preferred_username: "ada",
    resource_access: { "realm-management": { roles: ["manage-realm"] } },
  };
}
