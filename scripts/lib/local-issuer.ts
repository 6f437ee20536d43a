import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { readOrCreate } from "./local-files.ts";

const ALGORITHM = "RS256";

/** Without an audience, the Worker would warn. */
const AUDIENCE = "tenant-mail";

const TOKEN_LIFETIME = "1 hour";

/** Base host of the local Worker: `*.localhost` needs no DNS (RFC 6761 section 6.3). */
export const LOCAL_HOSTNAME = "localhost";

/** What a local token allows: managing settings, or sending mail. */
export type LocalRole = keyof typeof CLAIMS;

/** Replaces Keycloak in local development: one key pair signs for the realms of all tenants. */
export interface LocalIssuer {
  /** Variables that make the Worker trust this issuer and no other. */
  vars: Readonly<Record<string, string>>;
  /** Signs an access token for the tenant. Default: the administrator's. */
  token: (tenant: string, role?: LocalRole) => Promise<string>;
}

/** The issuer whose key pair is stored in `folder`, created on first use. */
export async function localIssuerIn(folder: string): Promise<LocalIssuer> {
  const privateJwk: JWK = JSON.parse(await readOrCreate(join(folder, "issuer.jwk.json"), newKeyPair));
  const { kty, n, e, kid } = privateJwk;
  const publicKeys = { keys: [{ kty, n, e, kid, alg: ALGORITHM, use: "sig" }] };
  const key = await importJWK(privateJwk, ALGORITHM);
  return {
    vars: { HOSTNAME: LOCAL_HOSTNAME, JWKS: JSON.stringify(publicKeys), AUDIENCE },
    token: (tenant, role = "administrator") =>
      new SignJWT(CLAIMS[role])
        .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid: String(kid) })
        .setIssuer(`https://${LOCAL_HOSTNAME}/auth/realms/${tenant}`)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(TOKEN_LIFETIME)
        .sign(key),
  };
}

async function newKeyPair(): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid: randomUUID() });
}

/** The claims of Keycloak's tokens that the Worker reads. The sender is a client with a service account. */
const CLAIMS = {
  administrator: {
    typ: "Bearer",
    sub: "00000000-0000-4000-8000-000000000001",
    azp: "admin-cli",
    preferred_username: "local-admin",
    email: "local-admin@example.com",
    resource_access: { "realm-management": { roles: ["manage-realm"] } },
  },
  sender: {
    typ: "Bearer",
    sub: "00000000-0000-4000-8000-000000000002",
    azp: "local-sender",
    preferred_username: "service-account-local-sender",
    resource_access: { "tenant-mail": { roles: ["mail-sender"] } },
  },
};
