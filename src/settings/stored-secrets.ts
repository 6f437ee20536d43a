import type { FieldError } from "../errors.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { MASK, SECRET_FIELDS, type SecretField, type Settings } from "./schema.ts";

/** Fields that name the sender of a mail. */
const SENDER_FIELDS = [
  "from",
  "fromDisplayName",
  "replyTo",
  "replyToDisplayName",
  "envelopeFrom",
] as const satisfies readonly (keyof Settings)[];

/** Where the server and the user of each secret are named. */
const DESTINATION_FIELDS = {
  password: ["host", "port", "user"],
  authTokenClientSecret: ["authTokenUrl", "authTokenClientId", "authTokenScope", "host", "port", "user"],
  authTokenPrivateKey: ["authTokenUrl", "authTokenClientId", "authTokenScope", "host", "port", "user"],
} as const satisfies Record<SecretField, readonly (keyof Settings)[]>;

/** What a stored secret may be used for. `test`: to send a mail at once, which no save records. */
export type SecretUse = "save" | "test";

/** Whether settings ask to keep a stored secret. */
export function usesMask(settings: Settings): boolean {
  return SECRET_FIELDS.some((field) => settings[field] === MASK);
}

/**
 * Replaces each mask by the stored secret, provided that its destination is the one it was saved for. Otherwise
 * an administrator, or a stolen token, could have the secret sent to another server (CVE-2024-5967 in Keycloak).
 * For a test, the sender must be the stored one too: otherwise a stolen token could send mail through the
 * tenant's server in any name.
 *
 * @returns the settings with the secrets, or the error that asks for one
 */
export function withStoredSecrets(
  settings: Settings,
  stored: Settings | undefined,
  use: SecretUse,
): { settings: Settings } | { error: FieldError } {
  const kept: Partial<Pick<Settings, SecretField>> = {};
  for (const field of SECRET_FIELDS.filter((name) => settings[name] === MASK)) {
    const secret = stored?.[field];
    if (stored === undefined || secret === undefined) {
      return { error: { field, message: "is not stored, so it cannot be kept: send it" } };
    }
    const bound = [...DESTINATION_FIELDS[field], ...(use === "test" ? SENDER_FIELDS : [])];
    const changed = [
      ...bound.filter((name) => settings[name] !== stored[name]),
      ...(tlsMode(settings) === tlsMode(stored) ? [] : ["TLS mode"]),
    ];
    if (changed.length > 0) {
      const message = `must be sent again, as it belongs to another ${changed.join(", ")}`;
      return { error: { field, message } };
    }
    kept[field] = secret;
  }
  return { settings: { ...settings, ...kept } };
}
