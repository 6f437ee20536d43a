import type { FieldError } from "../errors.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { MASKED_PASSWORD, type Settings } from "./schema.ts";

/** Whether settings ask to keep the stored password. */
export function usesMaskedPassword(settings: Settings): boolean {
  return settings.password === MASKED_PASSWORD;
}

/**
 * Replaces the mask by the stored password, provided that the destination is the one it was saved for.
 * Otherwise an administrator, or a stolen token, could have the password sent to another server
 * (CVE-2024-5967 in Keycloak).
 *
 * @returns the settings with the password, or the error that asks for it
 */
export function withStoredPassword(
  settings: Settings,
  stored: Settings | undefined,
): { settings: Settings } | { error: FieldError } {
  if (stored?.password === undefined) return passwordError("is not stored, so it cannot be kept: send it");
  const changed = [
    ...(["host", "port", "user"] as const).filter((name) => settings[name] !== stored[name]),
    ...(tlsMode(settings) === tlsMode(stored) ? [] : ["TLS mode"]),
  ];
  if (changed.length > 0) {
    return passwordError(`must be sent again, as it belongs to another ${changed.join(", ")}`);
  }
  return { settings: { ...settings, password: stored.password } };
}

function passwordError(message: string): { error: FieldError } {
  return { error: { field: "password", message } };
}
