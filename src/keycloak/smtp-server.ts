import type { FieldError } from "../errors.ts";
import type { Settings } from "../settings/schema.ts";
import { tlsMode } from "../smtp/tls-mode.ts";

/** Members of `smtpServer` that Keycloak never returns. */
const SECRETS: readonly string[] = ["password", "authTokenClientSecret"];

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
  const isImplicit = tlsMode(settings) === "implicit";
  const { host, port, from, fromDisplayName, replyTo, replyToDisplayName, envelopeFrom } = settings;
  const { debug, connectionTimeout, timeout, writeTimeout } = settings;
  // Without it, Keycloak rejects non-ASCII addresses of users as well: a save must not turn it off in passing.
  const { allowutf8 = current.allowutf8 } = settings;
  const members = {
    ...{ host, port, from, fromDisplayName, replyTo, replyToDisplayName, envelopeFrom },
    ...{ ssl: isImplicit, starttls: !isImplicit },
    ...authenticationOf(settings),
    ...{ allowutf8, debug, connectionTimeout, timeout, writeTimeout },
  };
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

/** Names of the members in which `smtpServer` differs, except for secrets. */
export function differences(sent: Record<string, string>, read: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(sent), ...Object.keys(read)]);
  return [...names].filter((name) => !SECRETS.includes(name) && sent[name] !== read[name]).sort();
}

function authenticationOf(settings: Settings): object {
  const { auth, user, password, authType, authTokenUrl, authTokenScope, authTokenClientId } = settings;
  if (auth === false || user === undefined) return { auth: false };
  if (authType === "token") {
    const { authTokenClientSecret } = settings;
    const token = { authTokenUrl, authTokenScope, authTokenClientId, authTokenClientSecret };
    return { auth: true, user, authType, ...token };
  }
  return password === undefined ? { auth: false } : { auth: true, user, authType: "basic", password };
}
