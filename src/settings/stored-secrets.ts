import type { FieldError } from "../errors.ts";
import { DEFAULT_GRANT_TYPE } from "../oauth/grant-types.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { fieldsWith, isTokenSecret, MASK, SECRET_FIELDS, type SecretField } from "./fields.ts";
import type { Settings } from "./schema.ts";

/** What a stored secret may be used for. `test`: to send a mail at once, which no save records. */
type SecretUse = "save" | "test";

/** Whether settings ask to keep a stored secret. */
export function usesMask(settings: Settings): boolean {
  return SECRET_FIELDS.some((field) => settings[field] === MASK);
}

/**
 * Replaces each mask by the stored secret, provided that its destination is the one it was saved for. Otherwise
 * an administrator, or a stolen token, could have the secret sent to another server (CVE-2024-5967 in Keycloak), or a
 * private key sign an assertion that speaks for a user.
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
    const [before, after] = [withDefaults(stored), withDefaults(settings)];
    const changed: string[] = fieldsBoundTo(field, use).filter((name) => after[name] !== before[name]);
    if (tlsMode(settings) !== tlsMode(stored)) changed.push("TLS mode");
    if (changed.length > 0) {
      const message = `must be sent again after a change of ${changed.join(", ")}`;
      return { error: { field, message } };
    }
    kept[field] = secret;
  }
  return { settings: { ...settings, ...kept } };
}

function withDefaults(settings: Settings): Settings {
  return { ...settings, authTokenGrantType: settings.authTokenGrantType ?? DEFAULT_GRANT_TYPE };
}

/** The fields whose change takes a secret elsewhere or, in a test, sends mail in another name. */
function fieldsBoundTo(secret: SecretField, use: SecretUse) {
  const tokenDestination = isTokenSecret(secret) ? fieldsWith("guard", "tokenDestination") : [];
  const sender = use === "test" ? fieldsWith("guard", "sender") : [];
  return [...tokenDestination, ...fieldsWith("guard", "destination"), ...sender];
}
