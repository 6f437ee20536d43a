import { tlsMode } from "../smtp/tls-mode.ts";
import { MASK, SECRET_FIELDS, type Settings } from "./schema.ts";

/** Settings as a read returns them: a valid request body for the same settings, with the secrets masked. */
export function toResponse(settings: Settings) {
  const { host, port, from, ...others } = settings;
  const present = SECRET_FIELDS.filter((field) => settings[field] !== undefined);
  const masks = Object.fromEntries(present.map((field) => [field, MASK]));
  return { host, port: String(port), from, ...others, ...masks };
}

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
  ].filter((warning) => warning !== false);
}
