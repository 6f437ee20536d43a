import { base64url, importJWK, importPKCS8, importX509, type JWK, jwtVerify, SignJWT } from "jose";

/** A private key that signs assertions, and what their header says of it. */
export interface SigningKey {
  key: CryptoKey;
  /** JWS algorithm (RFC 7518 section 3.1). */
  alg: string;
  /** `kid`, `x5t` and `x5t#S256`, if known (RFC 7515 section 4.1). Entra requires a thumbprint. */
  header: Readonly<Record<string, string>>;
}

/** Why a text is not a key that can sign, as the rest of a sentence that starts with the field. */
interface KeyProblem {
  problem: string;
}

const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/** Algorithms to try on a PKCS#8 key, which does not name one. Google and Entra use RS256. */
const PKCS8_ALGORITHMS = ["RS256", "ES256", "ES384", "ES512", "Ed25519"];

const EC_ALGORITHMS: Readonly<Record<string, string>> = {
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
  Ed25519: "Ed25519",
};

/** RFC 7518 section 3.3. */
const RSA_MIN_BITS = 2_048;

/**
 * Imports a private key: PKCS#8 in PEM (RFC 5958), optionally followed by its certificate, or a JWK (RFC 7517).
 */
export async function importSigningKey(text: string): Promise<SigningKey | KeyProblem> {
  const pem = PRIVATE_KEY.exec(text)?.[0];
  const imported = pem === undefined ? await importFromJwk(text) : await importFromPem(pem);
  if (imported === undefined) {
    return {
      problem:
        'must be an unencrypted private key of RSA, EC or Ed25519, as PKCS#8 PEM ("BEGIN PRIVATE KEY") or as JWK: "openssl pkcs8 -topk8 -nocrypt" converts others',
    };
  }
  const { algorithm } = imported.key;
  if ("modulusLength" in algorithm && algorithm.modulusLength < RSA_MIN_BITS) {
    return { problem: `must have at least ${RSA_MIN_BITS} bits` };
  }
  const certificate = pem === undefined ? undefined : CERTIFICATE.exec(text)?.[0];
  if (certificate === undefined) return imported;
  return (await belongsTo(certificate, imported))
    ? { ...imported, header: await thumbprintsOf(certificate) }
    : { problem: "must be followed by its own certificate, or by none" };
}

async function importFromPem(pem: string): Promise<SigningKey | undefined> {
  for (const alg of PKCS8_ALGORITHMS) {
    try {
      return { key: await importPKCS8(pem, alg), alg, header: {} };
    } catch {
      // Another algorithm may fit.
    }
  }
  return undefined;
}

async function importFromJwk(text: string): Promise<SigningKey | undefined> {
  try {
    const jwk: JWK = JSON.parse(text);
    const alg = jwk.alg ?? (jwk.kty === "RSA" ? "RS256" : EC_ALGORITHMS[jwk.crv ?? ""]);
    if (alg === undefined) return undefined;
    const key = await importJWK(jwk, alg);
    if (!(key instanceof CryptoKey) || !key.usages.includes("sign")) return undefined;
    const { kid, x5t, "x5t#S256": x5tS256 } = jwk;
    const header = Object.entries({ kid, x5t, "x5t#S256": x5tS256 });
    return { key, alg, header: Object.fromEntries(header.filter(isString)) };
  } catch {
    return undefined;
  }
}

/** Whether a certificate in PEM certifies the public half of a key. */
async function belongsTo(certificate: string, { key, alg }: SigningKey): Promise<boolean> {
  try {
    const signed = await new SignJWT().setProtectedHeader({ alg }).sign(key);
    await jwtVerify(signed, await importX509(certificate, alg));
    return true;
  } catch {
    return false;
  }
}

/** Thumbprints of a certificate in PEM (RFC 7515 sections 4.1.7 and 4.1.8). */
async function thumbprintsOf(certificate: string): Promise<Record<string, string>> {
  const der = Uint8Array.from(atob(certificate.replace(/-----[A-Z ]+-----|\s/g, "")), (character) =>
    character.charCodeAt(0),
  );
  const digest = async (algorithm: string) =>
    base64url.encode(new Uint8Array(await crypto.subtle.digest(algorithm, der)));
  return { x5t: await digest("SHA-1"), "x5t#S256": await digest("SHA-256") };
}

function isString(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === "string";
}
