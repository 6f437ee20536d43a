import * as z from "zod/mini";
import {
  characters,
  emailAddress,
  type FieldDocs,
  field,
  inputMandatoryText,
  inputText,
  outputText,
  type Problem,
  singleLine,
  validAddress,
  visibleLine,
} from "../http/fields.ts";
import { parseHost } from "../mail/host.ts";
import { GRANT_TYPES } from "../oauth/grant-types.ts";

/** Stands for a stored secret: a read returns it, and a save that sends it keeps the secret (as in Keycloak). */
export const MASK = "**********";

/** Maximum characters of `authTokenUrl`, and of `authTokenScope`. */
const TOKEN_FIELD_MAX_CHARACTERS = 2_048;

/** Maximum characters of `authTokenPrivateKey`: an RSA key of 4,096 bits in PEM takes 3,300, a certificate 2,000. */
const PRIVATE_KEY_MAX_CHARACTERS = 8_192;

/** Maximum characters of `fromDisplayName` and `replyToDisplayName`. */
const DISPLAY_NAME_MAX_CHARACTERS = 200;

/** Maximum characters of `user`. */
const USER_MAX_CHARACTERS = 255;

/** Maximum characters of `password`. */
const PASSWORD_MAX_CHARACTERS = 1024;

// A function: fields that share a schema would share what the OpenAPI document says of it.
const inputInteger = () => z.nullish(z.union([z.string(), z.int()], "must be a string or an integer"));

const FLAG_PROBLEM = 'must be true, false, "true" or "false"';

/** Maximum of a time limit: Keycloak reads it as an integer of 32 bits. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** The fields of settings. What is stored, what a read returns and the OpenAPI document derive from them. */
export const settingsFields = {
  host: field(
    {
      description:
        "SMTP server: a public host name or IP address, without scheme or port. An IDN becomes punycode.",
      examples: ["smtp.example.com"],
      minLength: 1,
    },
    inputMandatoryText,
    validHost,
    z.string(),
  ),
  port: field(
    {
      description: "1 to 65535, except 25, which Cloudflare blocks. Default: 465 with ssl, otherwise 587.",
      examples: ["587", 465],
      pattern: "^([1-9][0-9]{0,4})?$",
      minimum: 1,
      maximum: 65_535,
    },
    inputInteger(),
    validPort,
    z.optional(z.int()),
  ),
  from: field(
    {
      description: "Sender's address: at most 254 octets, at most 64 of them before the @.",
      examples: ["sender@example.com"],
      minLength: 1,
      maxLength: 254,
    },
    inputMandatoryText,
    validAddress,
    z.string(),
  ),
  fromDisplayName: displayName("Sender's name."),
  replyTo: emailAddress("Address for replies.", "reply@example.com"),
  replyToDisplayName: displayName("Name at the address for replies."),
  envelopeFrom: emailAddress("Address for bounces (MAIL FROM). Default: from.", "bounce@example.com"),
  starttls: flag("Requires STARTTLS. If ssl is true as well, ssl wins."),
  ssl: flag("Uses TLS from the first byte."),
  auth: flag("false: user and password are not used."),
  allowutf8: flag("Keycloak's. No effect here: mail uses SMTPUTF8 where an address requires it."),
  debug: flag("Keycloak's. No effect here."),
  connectionTimeout: timeout("Time limit of connecting"),
  timeout: timeout("Time limit of reading from the SMTP server"),
  writeTimeout: timeout("Time limit of writing to the SMTP server"),
  user: line("User name for authentication.", USER_MAX_CHARACTERS, "sender@example.com"),
  authType: choice(
    "basic (default): user and password. token: user and an OAuth 2.0 access token (XOAUTH2, OAUTHBEARER), requested with the authToken fields, whose secrets it requires.",
    ["basic", "token"],
  ),
  authTokenUrl: field(
    {
      description: "Token endpoint: https, and a public host.",
      examples: ["https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"],
      maxLength: TOKEN_FIELD_MAX_CHARACTERS,
    },
    inputText,
    validTokenUrl,
    outputText,
  ),
  authTokenScope: line(
    "Scopes, separated by spaces.",
    TOKEN_FIELD_MAX_CHARACTERS,
    "https://outlook.office.com/.default",
  ),
  authTokenClientId: line("Client id.", USER_MAX_CHARACTERS, "11111111-2222-3333"),
  authTokenClientSecret: secret(
    `Client secret. ${MASK} keeps the stored one, provided that token URL, client id, scope, grant, host, port, user and TLS mode are unchanged.`,
    "client-secret",
  ),
  authTokenPrivateKey: field(
    {
      description: `In place of a client secret: private key as PKCS#8 PEM, optionally followed by its certificate, or as JWK. ${MASK} keeps the stored one, under the same conditions.`,
      examples: ["-----BEGIN PRIVATE KEY-----\nMII...\n-----END PRIVATE KEY-----\n"],
      maxLength: PRIVATE_KEY_MAX_CHARACTERS,
    },
    inputText,
    (text) =>
      text.length > PRIVATE_KEY_MAX_CHARACTERS
        ? { problem: `must have at most ${PRIVATE_KEY_MAX_CHARACTERS} characters` }
        : text,
    outputText,
  ),
  authTokenGrantType: choice(
    "OAuth 2.0 grant. The JWT bearer grant (RFC 7523) has user as subject. Default: client_credentials.",
    GRANT_TYPES,
  ),
  password: secret(
    `Password of user, not trimmed. ${MASK} keeps the stored one, provided that host, port, user and TLS mode are unchanged.`,
    "app-password",
  ),
};

/** What a field means to those who treat fields differently. */
interface FieldRole {
  /**
   * What it means for a stored secret, which a mask keeps only while its destination is unchanged, and for a test the
   * sender as well. `tokenDestination` is that of a `tokenSecret`, which a token endpoint gets.
   */
  guard: "secret" | "tokenSecret" | "destination" | "tokenDestination" | "sender" | "none";
  /** Whether it decides if a server accepts the login and the sender: part of the login fingerprint. */
  login: boolean;
  /** When a realm of Keycloak gets it, under the same name: `login` with any credentials, `basic` with a password. */
  keycloak: "always" | "login" | "basic" | "token" | "never";
}

/**
 * The role of every field. The order is that of the parts of a login fingerprint, which outboxes store: a new field
 * changes the fingerprints, unless it decides nothing about a login.
 */
const FIELD_ROLES = {
  host: { guard: "destination", login: true, keycloak: "always" },
  port: { guard: "destination", login: true, keycloak: "always" },
  // Both flags matter by the TLS mode that they result in, which stored-secrets.ts guards. The fingerprint has it in the
  // place of ssl.
  ssl: { guard: "none", login: true, keycloak: "always" },
  starttls: { guard: "none", login: false, keycloak: "always" },
  auth: { guard: "none", login: true, keycloak: "always" },
  authType: { guard: "none", login: true, keycloak: "login" },
  user: { guard: "destination", login: true, keycloak: "login" },
  password: { guard: "secret", login: true, keycloak: "basic" },
  authTokenUrl: { guard: "tokenDestination", login: true, keycloak: "token" },
  authTokenScope: { guard: "tokenDestination", login: true, keycloak: "token" },
  authTokenClientId: { guard: "tokenDestination", login: true, keycloak: "token" },
  authTokenGrantType: { guard: "tokenDestination", login: true, keycloak: "never" },
  authTokenClientSecret: { guard: "tokenSecret", login: true, keycloak: "token" },
  authTokenPrivateKey: { guard: "tokenSecret", login: true, keycloak: "never" },
  from: { guard: "sender", login: true, keycloak: "always" },
  fromDisplayName: { guard: "sender", login: false, keycloak: "always" },
  replyTo: { guard: "sender", login: false, keycloak: "always" },
  replyToDisplayName: { guard: "sender", login: false, keycloak: "always" },
  envelopeFrom: { guard: "sender", login: true, keycloak: "always" },
  allowutf8: { guard: "none", login: false, keycloak: "always" },
  debug: { guard: "none", login: false, keycloak: "always" },
  connectionTimeout: { guard: "none", login: false, keycloak: "always" },
  timeout: { guard: "none", login: false, keycloak: "always" },
  writeTimeout: { guard: "none", login: false, keycloak: "always" },
} as const satisfies Record<keyof typeof settingsFields, FieldRole>;

type FieldName = keyof typeof FIELD_ROLES;

export type SecretField = {
  [Name in FieldName]: (typeof FIELD_ROLES)[Name]["guard"] extends "secret" | "tokenSecret" ? Name : never;
}[FieldName];

/** Names of the fields with one of these roles. */
export function fieldsWith<Role extends keyof FieldRole>(
  role: Role,
  ...values: FieldRole[Role][]
): FieldName[] {
  const names = Object.keys(FIELD_ROLES) as FieldName[];
  const roles: Record<FieldName, FieldRole> = FIELD_ROLES;
  return names.filter((name) => values.includes(roles[name][role]));
}

/** Fields that hold a secret. */
export const SECRET_FIELDS = fieldsWith("guard", "secret", "tokenSecret") as SecretField[];

/** Whether a secret is for a token endpoint, and not for the SMTP server. */
export function isTokenSecret(field: SecretField): boolean {
  return FIELD_ROLES[field].guard === "tokenSecret";
}

function secret(description: string, example: string) {
  const docs = { description, examples: [example, MASK], maxLength: PASSWORD_MAX_CHARACTERS };
  // White space may be part of a password.
  return field(docs, inputText, verbatimPassword, outputText, { trim: false });
}

function validTokenUrl(text: string): string | Problem {
  const tooLong = { problem: `must have at most ${TOKEN_FIELD_MAX_CHARACTERS} characters` };
  if (text.length > TOKEN_FIELD_MAX_CHARACTERS) return tooLong;
  const url = URL.parse(text);
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "" || url.hash !== "") {
    return { problem: "must be an https address without user, password or fragment" };
  }
  // Percent-encoding adds characters.
  return url.href.length > TOKEN_FIELD_MAX_CHARACTERS ? tooLong : url.href;
}

function displayName(description: string) {
  const maxLength = DISPLAY_NAME_MAX_CHARACTERS;
  const docs = { description, examples: ["Example Ltd"], maxLength };
  return field(docs, inputText, (text) => visibleLine(text, maxLength), outputText);
}

function line(description: string, maxLength: number, example: string) {
  const docs = { description, examples: [example], maxLength };
  return field(docs, inputText, (text) => singleLine(text, maxLength), outputText);
}

function flag(description: string) {
  const pattern = "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])?$";
  return booleanField({ description, examples: [true, "true"], pattern });
}

/** A field that takes `true` and `false`, also as text in any case. */
export function booleanField(docs: FieldDocs) {
  const input = z.nullish(z.union([z.boolean(), z.string()], FLAG_PROBLEM));
  return field(docs, input, validFlag, z.optional(z.boolean()));
}

/** A field that takes one of several words. */
export function choice<const Word extends string>(
  description: string,
  words: readonly [Word, ...Word[]],
  { example = words[0] as string, problem = `must be ${words.join(" or ")}` } = {},
) {
  const docs = { description, examples: [example], enum: [...words, "", null] };
  const rule = (text: string): string | Problem => words.find((word) => word === text) ?? { problem };
  // The type of zod's enum takes no string, not even one of the words.
  const output = z.enum(words) as z.ZodMiniType<Word, string>;
  return field(docs, inputText, rule, z.optional(output));
}

function timeout(description: string) {
  const docs = {
    description: `${description}, in milliseconds, within the Worker's own limits. 0: no other limit.`,
    examples: [10_000, "10000"],
    pattern: "^[0-9]{0,10}$",
    minimum: 0,
    maximum: TIMEOUT_MAX_MS,
  };
  return field(docs, inputInteger(), validTimeout, z.optional(z.int()));
}

function validHost(text: string): string | Problem {
  const parsed = parseHost(text);
  return "problem" in parsed ? parsed : parsed.host;
}

function validPort(input: string | number): number | Problem {
  const text = String(input);
  const number = Number(text);
  if (!/^[1-9]\d{0,4}$/.test(text) || number > 65_535)
    return { problem: "must be a whole number from 1 to 65535" };
  return number === 25 ? { problem: "must not be 25, which Cloudflare blocks: use 587 or 465" } : number;
}

function validTimeout(input: string | number): number | Problem {
  const text = String(input);
  return /^\d{1,10}$/.test(text) && Number(text) <= TIMEOUT_MAX_MS
    ? Number(text)
    : { problem: `must be a whole number from 0 to ${TIMEOUT_MAX_MS}` };
}

function validFlag(input: boolean | string): boolean | Problem {
  const word = String(input).toLowerCase();
  if (word === "true") return true;
  return word === "false" ? false : { problem: FLAG_PROBLEM };
}

function verbatimPassword(text: string): string | Problem {
  if (characters(text) > PASSWORD_MAX_CHARACTERS)
    return { problem: `must have at most ${PASSWORD_MAX_CHARACTERS} characters` };
  if (!text.isWellFormed()) return { problem: "must be valid Unicode" };
  if (text !== MASK && text.trim() === MASK) {
    return { problem: `must be exactly ${MASK} to keep the stored one` };
  }
  return /[\0\r\n]/.test(text) ? { problem: "must not contain NUL, CR or LF" } : text;
}
