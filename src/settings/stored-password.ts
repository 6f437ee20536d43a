import type { FieldError } from "../errors.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { MASKED_PASSWORD, type Settings } from "./schema.ts";

/** Whether settings ask to keep the stored password. */
export function usesMaskedPassword(settings: Settings): boolean {
  return settings.password === MASKED_PASSWORD;
}

/** Fields that name the sender of a mail. */
const SENDER_FIELDS = [
  "from",
  "fromDisplayName",
  "replyTo",
  "replyToDisplayName",
  "envelopeFrom",
] as const satisfies readonly (keyof Settings)[];

/** What the stored password may be used for. `test`: to send a mail at once, which no save records. */
export type PasswordUse = "save" | "test";

/**
 * Replaces the mask by the stored password, provided that the destination is the one it was saved for.
 * Otherwise an administrator, or a stolen token, could have the password sent to another server
 * (CVE-2024-5967 in Keycloak). For a test, the sender must be the stored one too: otherwise a stolen token
 * could send mail through the tenant's server in any name.
 *
 * @returns the settings with the password, or the error that asks for it
 */
export function withStoredPassword(
  settings: Settings,
  stored: Settings | undefined,
  use: PasswordUse,
): { settings: Settings } | { error: FieldError } {
  if (stored?.password === undefined) return passwordError("is not stored, so it cannot be kept: send it");
  const bound = ["host", "port", "user", ...(use === "test" ? SENDER_FIELDS : [])] as const;
  const changed = [
    ...bound.filter((name) => settings[name] !== stored[name]),
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
