import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { Behaviour } from "./issuer-network.ts";
import { requestsTo, setBehaviour } from "./network.ts";

/** A tenant's realm: it signs tokens, and serves its keys over the wire. */
export interface Issuer {
  tenant: string;
  issuer: string;
  jwksUri: string;
  publicJwk: object;
  privateKey: CryptoKey;
  /** A token that opens the tenant, with changes to its claims (`undefined` removes one) or header. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Changes what the address of the keys answers. */
  serves(behaviour: Behaviour): Promise<void>;
  /** How often the keys have been fetched. */
  fetches(): Promise<number>;
}

let tenants = 0;

/** A tenant id that no other test has: keys are cached in the isolate by tenant. */
export function newTenant(): string {
  return `t${++tenants}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Makes a realm with a key pair of its own, whose keys are already served. */
export async function newIssuer(tenant = newTenant(), alg = "RS256"): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const issuer = `https://example.com/auth/realms/${tenant}`;
  const jwksUri = `${issuer}/protocol/openid-connect/certs`;
  const publicJwk = { ...(await exportJWK(publicKey)), kid: `${tenant}-1`, alg, use: "sig" };
  const realm: Issuer = {
    tenant,
    issuer,
    jwksUri,
    publicJwk,
    privateKey,
    token: (claims = {}, header = {}) =>
      new SignJWT({ ...administrator(issuer), ...claims })
        .setProtectedHeader({ alg, kid: `${tenant}-1`, typ: "JWT", ...header })
        .sign(privateKey),
    serves: (behaviour) => setBehaviour(jwksUri, behaviour),
    fetches: async () => (await requestsTo(jwksUri)).length,
  };
  await realm.serves({ kind: "answer", body: JSON.stringify({ keys: [publicJwk] }) });
  return realm;
}

/** The claims of a Keycloak access token of a realm's administrator. */
export function administrator(issuer: string): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    iat: now,
    exp: now + 300,
    sub: "7b7a3f0e-0000-4000-8000-000000000001",
    typ: "Bearer",
    azp: "admin-cli",
    preferred_username: "ada",
    resource_access: { "realm-management": { roles: ["manage-realm"] } },
  };
}
