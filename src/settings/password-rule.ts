import { RefusedError } from "../errors.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { MASKED_PASSWORD, type Settings } from "./schema.ts";

/** Whether settings ask for the stored password in place of bringing one. */
export function keepsStoredPassword(settings: Settings): boolean {
  return settings.password === MASKED_PASSWORD;
}

/**
 * Puts the stored password in the place of the mask, but only towards the destination that it was given
 * for. Otherwise an administrator, or whoever stole a token, could have the password sent to a server of
 * their own (as with Keycloak, CVE-2024-5967).
 *
 * @throws {RefusedError} `invalid_fields`, asking for the password
 */
export function withStoredPassword(settings: Settings, stored: Settings | undefined): Settings {
  if (stored?.password === undefined) throw refused("is not stored, so it cannot be kept: send it");
  const changed = [
    ...(["host", "port", "user"] as const).filter((name) => settings[name] !== stored[name]),
    ...(tlsMode(settings) === tlsMode(stored) ? [] : ["TLS mode"]),
  ];
  if (changed.length > 0) throw refused(`must be sent again, as it belongs to another ${changed.join(", ")}`);
  return { ...settings, password: stored.password };
}

function refused(message: string): RefusedError {
  return new RefusedError({ kind: "invalid_fields", errors: [{ field: "password", message }] });
}
