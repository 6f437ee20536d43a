import { authenticates } from "../smtp/smtp-settings.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { MASK, SECRET_FIELDS } from "./fields.ts";
import type { Settings } from "./schema.ts";

/** Settings as a read returns them: a valid request body for the same settings, with the secrets masked. */
export function toResponse(settings: Settings) {
  const { host, port, from, ...others } = settings;
  const present = SECRET_FIELDS.filter((field) => settings[field] !== undefined);
  const masks = Object.fromEntries(present.map((field) => [field, MASK]));
  return { host, port: String(port), from, ...others, ...masks };
}

/** No-break and other spaces, format characters, and others that nobody sees. */
const INVISIBLE = /(?! )\p{Zs}|[\p{Zl}\p{Zp}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

const WHITE_SPACE_AT_END = /^\s|\s$/;

/** A value that Keycloak looks up in the vault of a realm. */
const VAULT_REFERENCE = /\$\{vault\./;

const MICROSOFT_365 = /(^|\.)office365\.com$/;
const OUTLOOK_COM = /^(smtp-mail\.outlook|smtp\.(live|hotmail))\.com$/;

/** Warnings about valid but probably unintended settings. */
export function warningsFor(settings: Settings): string[] {
  const { port, ssl, starttls, auth, authType, user, password } = settings;
  const mode = tlsMode(settings);
  return [
    port === 465 && !ssl && "Port 465 is for implicit TLS: set ssl to true.",
    port === 587 && ssl && "Port 587 is for STARTTLS: set starttls to true and ssl to false.",
    ssl && starttls && "Both ssl and starttls are set: ssl wins.",
    mode === "opportunistic" &&
      "Neither ssl nor starttls is set: mail goes unencrypted if the server does not offer STARTTLS.",
    user !== undefined &&
      password === undefined &&
      authType !== "token" &&
      "A user is set without a password.",
    auth === false &&
      user !== undefined &&
      `auth is false: user and ${authType === "token" ? "access token" : "password"} are not used.`,
    auth === true && user === undefined && "auth is true, but no user is set.",
    authType !== "token" &&
      settings.authTokenUrl !== undefined &&
      "authType is not token: the fields whose names begin with authToken are not used.",
    ...warningsAboutValues(settings),
    authenticates(settings) && authType !== "token" && warningAboutPassword(settings),
  ].filter((warning) => warning !== false);
}

/** They name fields, and never quote a value. */
function warningsAboutValues(settings: Settings): (string | false)[] {
  const { user = "", password = "" } = settings;
  const copied = Object.entries({ user, password }).flatMap(([field, value]) => [
    INVISIBLE.test(value) &&
      `${field} contains no-break spaces or invisible characters: type it instead of copying it.`,
    WHITE_SPACE_AT_END.test(value) && `${field} begins or ends with white space.`,
  ]);
  const references = Object.entries(settings).filter(([, value]) => VAULT_REFERENCE.test(String(value)));
  const unresolved = references.map(
    ([field]) => `${field} refers to Keycloak's vault, which nothing resolves here: set the value itself.`,
  );
  return [...copied, ...unresolved];
}

/**
 * Providers that turn passwords off.
 *
 * @see https://techcommunity.microsoft.com/blog/exchange/updated-exchange-online-smtp-auth-basic-authentication-deprecation-timeline/4489835
 * @see https://support.microsoft.com/office/c5d65390-9676-4763-b41f-d7986499a90d
 */
function warningAboutPassword({ host }: Settings): string | false {
  if (MICROSOFT_365.test(host)) {
    return "Microsoft 365 has basic authentication off by default from the end of December 2026, and only OAuth for new organizations; it announces the final date in the second half of 2027. Set authType to token, or have an administrator enable basic authentication again.";
  }
  return (
    OUTLOOK_COM.test(host) &&
    "Personal accounts of Outlook.com have accepted no passwords since September 2024. For a mailbox of Microsoft 365, set host to smtp.office365.com and authType to token."
  );
}
