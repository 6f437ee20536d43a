import { decodeProtectedHeader, EncryptJWT, jwtDecrypt } from "jose";
import type { Config } from "../config.ts";
import { RefusedError } from "../errors.ts";
import type { Settings } from "./schema.ts";

/** What is kept for a tenant. */
export interface SettingsRecord {
  settings: Settings;
  /** Time of the save, RFC 3339 in UTC. */
  updatedAt: string;
  /** Name of the caller who saved. */
  updatedBy: string;
  /** Of the save, and so of no other record. */
  version: string;
}

const KEY_WRAPPING = "A256KW";
const CONTENT_ENCRYPTION = "A256GCM";

/**
 * Seals a record for its tenant: an encrypted JWT (RFC 7516, RFC 7519) with a content key of its own,
 * wrapped by the first settings key, which any JOSE library opens with that key.
 *
 * @returns the JWE in compact form, and the `kid` that sealed it
 */
export async function seal(
  tenant: string,
  record: SettingsRecord,
  [sealing]: Config["settingsKeys"],
): Promise<{ jwe: string; kid: string }> {
  const { kid, key } = sealing;
  const jwe = await new EncryptJWT({ ...record })
    .setProtectedHeader({ alg: KEY_WRAPPING, enc: CONTENT_ENCRYPTION, kid })
    .setSubject(tenant)
    .setIssuedAt()
    .encrypt(key);
  return { jwe, kid };
}

/**
 * Opens what {@link seal} made. Both algorithms are pinned, and the tenant is checked, so that a record
 * copied to another tenant's key does not open there.
 *
 * @throws {RefusedError} `record_unreadable` with tenant and `kid`
 */
export async function open(
  tenant: string,
  jwe: string,
  keys: Config["settingsKeys"],
): Promise<SettingsRecord> {
  let kid: string | undefined;
  try {
    kid = decodeProtectedHeader(jwe).kid;
    const key = keys.find((candidate) => candidate.kid === kid)?.key;
    if (key === undefined) throw new Error("no settings key has this kid");
    const { payload } = await jwtDecrypt<SettingsRecord>(jwe, key, {
      keyManagementAlgorithms: [KEY_WRAPPING],
      contentEncryptionAlgorithms: [CONTENT_ENCRYPTION],
      subject: tenant,
    });
    const { settings, updatedAt, updatedBy, version } = payload;
    if (typeof settings !== "object" || settings === null) throw new Error("holds no settings");
    // Records of before there were versions have none.
    return { settings, updatedAt, updatedBy, version: version ?? updatedAt };
  } catch (error) {
    // jose's messages speak of headers and claims by name, and never of what was sealed.
    const reason = error instanceof Error ? error.message : "unknown";
    throw new RefusedError({ kind: "record_unreadable", tenant, kid, reason });
  }
}
