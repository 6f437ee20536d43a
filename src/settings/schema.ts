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

/** Stands for the stored password: a read returns it, and a save that sends it keeps the password (as in Keycloak). */
export const MASKED_PASSWORD = "**********";

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
  password: field(
    {
      description: `Password of user, not trimmed. ${MASKED_PASSWORD} keeps the stored one, provided that host, port, user and TLS mode are unchanged.`,
      examples: ["app-password", MASKED_PASSWORD],
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
  z.transform((input, context) => {
    if (input.password !== undefined && input.user === undefined) {
      context.issues.push({ code: "custom", path: ["user"], message: "must accompany password", input });
    }
    const ssl = input.ssl ?? false;
    return { ...input, port: input.port ?? (ssl ? 465 : 587), starttls: input.starttls ?? false, ssl };
  }),
);

/** Settings as they are stored, with the password itself. */
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
  if (text !== MASKED_PASSWORD && text.trim() === MASKED_PASSWORD) {
    return { problem: `must be exactly ${MASKED_PASSWORD} to keep the stored one` };
  }
  return /[\0\r\n]/.test(text) ? { problem: "must not contain NUL, CR or LF" } : text;
}
