import { base64url, decodeProtectedHeader, EncryptJWT, type JWTPayload, jwtDecrypt } from "jose";
import { SafeError } from "../errors.ts";
import type { SealedPlaceName } from "./sealed-places.ts";

/** A key that encrypts (seals) stored values, and decrypts (opens) them. */
export interface SealingKey {
  kid: string;
  /** AES-KW, 256 bits, not extractable. */
  key: CryptoKey;
  /** HMAC-SHA-256, derived from the same secret. */
  mac: CryptoKey;
}

/** The first key encrypts, all decrypt. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

/** A stored value that cannot be decrypted. */
export class SealingError extends SafeError {
  override readonly name = "SealingError";
  /** `kid` of the value's header, if present. */
  readonly kid: string | undefined;

  constructor(reason: string, kid: string | undefined) {
    super(reason);
    this.kid = kid;
  }
}

const KEY_WRAPPING = "A256KW";
const CONTENT_ENCRYPTION = "A256GCM";

/**
 * Seals claims for a tenant as an encrypted JWT (RFC 7516, RFC 7519). Each value has its own content key,
 * wrapped by the first key; any JOSE library decrypts it with that key.
 *
 * @param _place where the value will be stored: none is sealed for a place that rotation does not know
 * @returns the JWE in compact form, and the `kid` that sealed it
 */
export async function seal(
  _place: SealedPlaceName,
  tenant: string,
  claims: object,
  [sealing]: SealingKeys,
): Promise<{ jwe: string; kid: string }> {
  const { kid, key } = sealing;
  const jwe = await new EncryptJWT({ ...claims })
    .setProtectedHeader({ alg: KEY_WRAPPING, enc: CONTENT_ENCRYPTION, kid })
    .setSubject(tenant)
    .setIssuedAt()
    .encrypt(key);
  return { jwe, kid };
}

/**
 * Fingerprints a text with each key, the sealing key's first. A plain hash would reveal a short text, such as a
 * six-digit code, to a reader of the store.
 *
 * @param _place where the fingerprints will be stored, as for {@link seal}
 */
export function fingerprint(
  _place: SealedPlaceName,
  text: string,
  keys: SealingKeys,
): Promise<[kid: string, fingerprint: string][]> {
  const bytes = new TextEncoder().encode(text);
  return Promise.all(
    keys.map(async ({ kid, mac }): Promise<[string, string]> => {
      const signature = await crypto.subtle.sign("HMAC", mac, bytes);
      return [kid, base64url.encode(new Uint8Array(signature))];
    }),
  );
}

/**
 * Opens what {@link seal} made. Both algorithms are pinned, and the tenant is checked, so a value copied to
 * another tenant's key cannot be decrypted there.
 *
 * @returns the claims, `sub` and `iat` included, and the `kid` that sealed them
 * @throws {SealingError}
 */
export async function open<Claims>(
  tenant: string,
  jwe: string,
  keys: SealingKeys,
): Promise<{ claims: Claims & JWTPayload; kid: string }> {
  let kid: string | undefined;
  try {
    kid = decodeProtectedHeader(jwe).kid;
    const key = keys.find((candidate) => candidate.kid === kid)?.key;
    if (kid === undefined || key === undefined) throw new Error("no settings key has this kid");
    const { payload } = await jwtDecrypt<Claims>(jwe, key, {
      keyManagementAlgorithms: [KEY_WRAPPING],
      contentEncryptionAlgorithms: [CONTENT_ENCRYPTION],
      subject: tenant,
    });
    return { claims: payload, kid };
  } catch (error) {
    // jose's messages name headers and claims, never their values.
    throw new SealingError(error instanceof Error ? error.message : "unknown", kid);
  }
}
