import * as z from "zod/mini";
import {
  characters,
  closedObject,
  emailAddress,
  field,
  inputMandatoryText,
  inputText,
  outputText,
  type Problem,
  singleLine,
  trimmed,
  validAddress,
} from "../http/fields.ts";
import { parseHost } from "../mail/host.ts";
import { GRANT_TYPES } from "../oauth/grant-types.ts";

/** Stands for a stored secret: a read returns it, and a save that sends it keeps the secret (as in Keycloak). */
export const MASK = "**********";

/** Fields that hold a secret. */
export const SECRET_FIELDS = ["password", "authTokenClientSecret", "authTokenPrivateKey"] as const;

export type SecretField = (typeof SECRET_FIELDS)[number];

/** Maximum characters of `authTokenUrl`, and of `authTokenScope`. */
const TOKEN_FIELD_MAX_CHARACTERS = 2_048;

/** Maximum characters of `authTokenPrivateKey`: an RSA key of 4,096 bits in PEM takes 3,300, a certificate 2,000. */
const PRIVATE_KEY_MAX_CHARACTERS = 8_192;

/** Maximum characters of `fromDisplayName` and `replyToDisplayName`. */
export const DISPLAY_NAME_MAX_CHARACTERS = 200;

/** Maximum characters of `user`. */
export const USER_MAX_CHARACTERS = 255;

/** Maximum characters of `password`. */
export const PASSWORD_MAX_CHARACTERS = 1024;

const inputPort = z.nullish(z.union([z.string(), z.int()], "must be a string or an integer"));
const inputTimeout = z.nullish(z.union([z.string(), z.int()], "must be a string or an integer"));
const inputFlag = z.nullish(z.union([z.boolean(), z.string()], 'must be true, false, "true" or "false"'));

const outputFlag = z.optional(z.boolean());

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
    inputPort,
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
  authType: field(
    {
      description:
        "basic (default): user and password. token: user and an OAuth 2.0 access token (XOAUTH2, OAUTHBEARER).",
      examples: ["basic"],
      enum: ["basic", "token", "", null],
    },
    inputText,
    (text) => (text === "basic" || text === "token" ? text : { problem: "must be basic or token" }),
    z.optional(z.enum(["basic", "token"])),
  ),
  authTokenUrl: field(
    {
      description: "With authType token: token endpoint. https, and a public host.",
      examples: ["https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"],
      maxLength: TOKEN_FIELD_MAX_CHARACTERS,
    },
    inputText,
    validTokenUrl,
    outputText,
  ),
  authTokenScope: line(
    "With authType token: scopes, separated by spaces.",
    TOKEN_FIELD_MAX_CHARACTERS,
    "https://outlook.office.com/.default",
  ),
  authTokenClientId: line("With authType token: client id.", USER_MAX_CHARACTERS, "11111111-2222-3333"),
  authTokenClientSecret: secret(
    `With authType token: client secret. ${MASK} keeps the stored one, provided that token URL, client id, scope, host, port, user and TLS mode are unchanged.`,
    "client-secret",
  ),
  authTokenPrivateKey: field(
    {
      description: `With authType token, in place of a client secret: private key as PKCS#8 PEM, optionally followed by its certificate, or as JWK. ${MASK} keeps the stored one, under the same conditions.`,
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
  authTokenGrantType: field(
    {
      description:
        "With authType token: OAuth 2.0 grant. The JWT bearer grant (RFC 7523) has user as subject. Default: client_credentials.",
      examples: ["client_credentials"],
      enum: [...GRANT_TYPES, "", null],
    },
    inputText,
    (text) => GRANT_TYPES.find((type) => type === text) ?? { problem: `must be ${GRANT_TYPES.join(" or ")}` },
    z.optional(z.enum(GRANT_TYPES)),
  ),
  password: field(
    {
      description: `Password of user, not trimmed. ${MASK} keeps the stored one, provided that host, port, user and TLS mode are unchanged.`,
      examples: ["app-password", MASK],
      maxLength: PASSWORD_MAX_CHARACTERS,
    },
    inputText,
    verbatimPassword,
    outputText,
    // White space may be part of a password.
    { trim: false },
  ),
};

/**
 * A tenant's SMTP settings, as a request sends them and as they are stored. `null`, `""` and white space count
 * as absent, and strings other than the password are trimmed. The output always has the port and the TLS flags.
 */
export const settingsSchema = z.pipe(
  closedObject(settingsFields),
  z.transform((sent, context) => {
    const input = withoutUnusedMasks(sent);
    for (const { field, message } of combinationErrors(input)) {
      context.issues.push({ code: "custom", path: [field], message, input: sent });
    }
    const ssl = input.ssl ?? false;
    return { ...input, port: input.port ?? (ssl ? 465 : 587), starttls: input.starttls ?? false, ssl };
  }),
);

/** Settings as they are stored, with the secrets themselves. */
export type Settings = z.output<typeof settingsSchema>;

/** How to test settings: the recipient, whether to send a mail, and which settings to use. */
export const testSchema = closedObject({
  to: emailAddress("Recipient of the test mail. Default: the email claim of the token.", "ada@example.com"),
  mode: field(
    {
      description:
        "send (default): sends a mail. probe: asks whether the server would accept one, and sends none.",
      examples: ["probe"],
      enum: ["send", "probe", "", null],
    },
    inputText,
    (text) => (text === "send" || text === "probe" ? text : { problem: 'must be "send" or "probe"' }),
    z.optional(z.enum(["send", "probe"])),
  ),
  settings: z.optional(z.nullable(settingsSchema)).register(z.globalRegistry, {
    description: "Settings to test before saving them. Default: the stored ones.",
  }),
});

/** The query of a save. Ignores other parameters, which proxies may add. */
export const verifySchema = z.object({
  verify: field(
    {
      description: "true: probes the SMTP server first, and saves only if it accepts the settings.",
      examples: [true],
      type: "boolean",
    },
    inputFlag,
    validFlag,
    outputFlag,
  ),
});

/** Whether a body lacks `host` or `from`. The contract reports that before any other problem. */
export function lacksMandatoryField(body: unknown): boolean {
  const { host, from } = (body ?? {}) as { host?: unknown; from?: unknown };
  return [host, from].map(trimmed).some((value) => value === undefined || value === null || value === "");
}

/** Drops masks of secrets that `authType` does not use: Keycloak's console leaves them there. */
function withoutUnusedMasks<Input extends AuthenticationFields>(input: Input): Input {
  const unused = SECRET_FIELDS.filter((field) => usesToken(input) === (field === "password"));
  const dropped = unused.filter((field) => input[field] === MASK).map((field) => [field, undefined]);
  return { ...input, ...Object.fromEntries(dropped) };
}

type AuthenticationFields = { [Name in keyof typeof settingsFields]?: unknown };

/** Combinations of fields that cannot work, each with its fix. */
function combinationErrors(input: AuthenticationFields): { field: string; message: string }[] {
  const { user, password, authTokenUrl, authTokenClientId, authTokenClientSecret, authTokenPrivateKey } =
    input;
  const isBearer =
    input.authTokenGrantType !== undefined && input.authTokenGrantType !== "client_credentials";
  const checks: [boolean, string, string][] = usesToken(input)
    ? [
        [user === undefined, "user", "is required with authType token"],
        [password !== undefined, "password", "must be absent with authType token"],
        [authTokenUrl === undefined, "authTokenUrl", "is required with authType token"],
        [authTokenClientId === undefined, "authTokenClientId", "is required with authType token"],
        [
          authTokenClientSecret !== undefined && authTokenPrivateKey !== undefined,
          "authTokenPrivateKey",
          "must not accompany authTokenClientSecret: send one of them",
        ],
        [
          isBearer && authTokenPrivateKey === undefined,
          "authTokenPrivateKey",
          "is required with this authTokenGrantType, in place of authTokenClientSecret",
        ],
        [
          !isBearer && authTokenClientSecret === undefined && authTokenPrivateKey === undefined,
          "authTokenClientSecret",
          "or authTokenPrivateKey is required with authType token",
        ],
      ]
    : [
        [password !== undefined && user === undefined, "user", "must accompany password"],
        [authTokenClientSecret !== undefined, "authTokenClientSecret", "requires authType token"],
        [authTokenPrivateKey !== undefined, "authTokenPrivateKey", "requires authType token"],
      ];
  return checks.flatMap(([isWrong, field, message]) => (isWrong ? [{ field, message }] : []));
}

function usesToken({ authType }: AuthenticationFields): boolean {
  return authType === "token";
}

function secret(description: string, example: string) {
  const docs = { description, examples: [example, MASK], maxLength: PASSWORD_MAX_CHARACTERS };
  return field(docs, inputText, verbatimPassword, outputText, { trim: false });
}

function validTokenUrl(text: string): string | Problem {
  const tooLong = { problem: `must have at most ${TOKEN_FIELD_MAX_CHARACTERS} characters` };
  if (text.length > TOKEN_FIELD_MAX_CHARACTERS) return tooLong;
  const url = URL.parse(text);
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "" || url.hash !== "") {
    return { problem: "must be an https address without user, password and fragment" };
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
  const docs = {
    description,
    examples: [true, "true"],
    pattern: "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])?$",
  };
  return field(docs, inputFlag, validFlag, outputFlag);
}

function timeout(description: string) {
  const docs = {
    description: `${description}, in milliseconds, within the Worker's own limits. 0: no other limit.`,
    examples: [10_000, "10000"],
    pattern: "^[0-9]{0,10}$",
    minimum: 0,
    maximum: TIMEOUT_MAX_MS,
  };
  return field(docs, inputTimeout, validTimeout, z.optional(z.int()));
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
  return word === "false" ? false : { problem: 'must be true, false, "true" or "false"' };
}

// A bidirectional override makes a mail client display another name than the saved one.
function visibleLine(text: string, max: number): string | Problem {
  return /\p{Cf}/u.test(text) ? { problem: "must not contain invisible characters" } : singleLine(text, max);
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
