import type { FieldError } from "../errors.ts";
import { fieldsWith, SECRET_FIELDS } from "../settings/fields.ts";
import type { Settings } from "../settings/schema.ts";
import { authenticates } from "../smtp/smtp-settings.ts";
import { tlsMode } from "../smtp/tls-mode.ts";

/** A value that Keycloak looks up in the vault of the realm. */
const VAULT_REFERENCE = /^\$\{vault\..+\}$/;

/** The fields that Keycloak cannot use. */
export function keycloakProblems(settings: Settings): FieldError[] {
  const { authTokenPrivateKey, authTokenGrantType = "client_credentials" } = settings;
  const unsupported = [
    authTokenPrivateKey !== undefined && {
      field: "authTokenPrivateKey",
      message: "must be absent, as Keycloak supports client secrets only: send authTokenClientSecret",
    },
    authTokenGrantType !== "client_credentials" && {
      field: "authTokenGrantType",
      message: "must be client_credentials, as Keycloak supports no other",
    },
  ];
  const references = Object.entries(settings).filter(([, value]) => VAULT_REFERENCE.test(String(value)));
  return [
    ...unsupported.filter((problem) => problem !== false),
    ...references.map(([field]) => ({
      field,
      message: "must not refer to Keycloak's vault: send the value",
    })),
  ];
}

/**
 * Converts settings to `smtpServer` of a realm, so that Keycloak connects as this Worker does. Keycloak would use
 * port 25 by default, and authenticate in clear with neither `ssl` nor `starttls`.
 *
 * @param current `smtpServer` as it is
 * @see https://github.com/keycloak/keycloak/blob/26.7.3/services/src/main/java/org/keycloak/email/DefaultEmailSenderProvider.java
 */
export function toSmtpServer(settings: Settings, current: Record<string, unknown>): Record<string, string> {
  const [auth, isImplicit] = [authenticates(settings), tlsMode(settings) === "implicit"];
  // Without allowutf8, Keycloak rejects non-ASCII addresses of users as well: a save must not turn it off in passing.
  const { authType = "basic", allowutf8 = current.allowutf8 } = settings;
  const values = { ...settings, ssl: isImplicit, starttls: !isImplicit, auth, authType, allowutf8 };
  const names = fieldsWith("keycloak", "always", ...(auth ? (["login", authType] as const) : []));
  return Object.fromEntries(
    names.flatMap((name) => (values[name] === undefined ? [] : [[name, String(values[name])]])),
  );
}

/** Names of the members in which `smtpServer` differs, except for secrets: Keycloak never returns them. */
export function differences(sent: Record<string, string>, read: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(sent), ...Object.keys(read)]);
  for (const secret of SECRET_FIELDS) names.delete(secret);
  return [...names].filter((name) => sent[name] !== read[name]).sort();
}
