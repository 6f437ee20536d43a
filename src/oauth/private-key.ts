import { base64url, importJWK, importPKCS8, type JWK } from "jose";

/** A private key that signs assertions, and what their header says of it. */
export interface SigningKey {
  key: CryptoKey;
  alg: string;
  /** `kid`, `x5t` and `x5t#S256`, if known (RFC 7515 section 4.1). Entra requires a thumbprint. */
  header: Readonly<Record<string, string>>;
}

const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/;

/** Algorithms to try on a PKCS#8 key, which does not name one. RS256 is what Google and Entra use. */
const PKCS8_ALGORITHMS = ["RS256", "ES256", "ES384", "Ed25519"];

/**
 * Imports a private key: PKCS#8 in PEM (RFC 5958), optionally followed by its certificate, or a JWK (RFC 7517).
 *
 * @returns the key, or `undefined` if the text is not one
 */
export async function importSigningKey(text: string): Promise<SigningKey | undefined> {
  const pem = PRIVATE_KEY.exec(text)?.[0];
  return pem === undefined ? importFromJwk(text) : importFromPem(pem, CERTIFICATE.exec(text)?.[1]);
}

async function importFromPem(pem: string, certificate: string | undefined): Promise<SigningKey | undefined> {
  for (const alg of PKCS8_ALGORITHMS) {
    try {
      const key = await importPKCS8(pem, alg);
      return { key, alg, header: certificate === undefined ? {} : await thumbprintsOf(certificate) };
    } catch {
      // Another algorithm may fit.
    }
  }
  return undefined;
}

async function importFromJwk(text: string): Promise<SigningKey | undefined> {
  try {
    const jwk: JWK = JSON.parse(text);
    const alg = jwk.alg ?? (jwk.kty === "RSA" ? "RS256" : jwk.crv === "P-384" ? "ES384" : "ES256");
    const key = await importJWK(jwk, jwk.crv === "Ed25519" ? "Ed25519" : alg);
    if (!(key instanceof CryptoKey) || key.type !== "private") return undefined;
    const { kid, x5t, "x5t#S256": x5tS256 } = jwk;
    const header = Object.entries({ kid, x5t, "x5t#S256": x5tS256 });
    return { key, alg, header: Object.fromEntries(header.filter(isString)) };
  } catch {
    return undefined;
  }
}

/** Thumbprints of a certificate in PEM (RFC 7515 sections 4.1.7 and 4.1.8). */
async function thumbprintsOf(base64: string): Promise<Record<string, string>> {
  const der = Uint8Array.from(atob(base64.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  const digest = async (algorithm: string) =>
    base64url.encode(new Uint8Array(await crypto.subtle.digest(algorithm, der)));
  return { x5t: await digest("SHA-1"), "x5t#S256": await digest("SHA-256") };
}

function isString(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === "string";
}
