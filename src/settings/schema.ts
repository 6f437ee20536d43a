import * as z from "zod/mini";
import { parseHost } from "../smtp/host.ts";
import { emailAddressProblem } from "./email-address.ts";

/** Stands for the stored password: shown on reading; on saving, the wish to keep it (as Keycloak has it). */
export const MASKED_PASSWORD = "**********";

/** Longest `fromDisplayName` and `replyToDisplayName`. */
export const DISPLAY_NAME_MAX_CHARACTERS = 200;

/** Longest `user`. */
export const USER_MAX_CHARACTERS = 255;

/** Longest `password`. */
export const PASSWORD_MAX_CHARACTERS = 1024;

/** What is wrong with a field, for a person to read. */
type Problem = { problem: string };

const inputMandatoryText = z.string("must be a string");
// Keycloak's console sends "" for a field left empty.
const inputText = z.nullish(z.string("must be a string"));
const inputPort = z.nullish(z.union([z.string(), z.int()], "must be a string or an integer"));
const inputFlag = z.nullish(z.union([z.boolean(), z.string()], 'must be true, false, "true" or "false"'));

const host = field(inputMandatoryText, (text) => {
  const parsed = parseHost(text);
  return "problem" in parsed ? parsed : parsed.host;
});

const from = field(inputMandatoryText, validAddress);

const emailAddress = field(inputText, validAddress);

const displayName = field(inputText, (text) => singleLine(text, DISPLAY_NAME_MAX_CHARACTERS));

const user = field(inputText, (text) => singleLine(text, USER_MAX_CHARACTERS));

// White space can be part of a password.
const password = field(inputText, verbatimPassword, { trim: false });

const port = field(inputPort, (input) => {
  const text = String(input);
  const number = Number(text);
  if (!/^[1-9]\d{0,4}$/.test(text) || number > 65_535)
    return { problem: "must be a whole number from 1 to 65535" };
  return number === 25 ? { problem: "must not be 25, which Cloudflare blocks: use 587 or 465" } : number;
});

const flag = field(inputFlag, (input) => {
  const word = String(input).toLowerCase();
  if (word === "true") return true;
  return word === "false" ? false : { problem: 'must be true, false, "true" or "false"' };
});

const fields = {
  host: z.pipe(host, z.string()),
  port,
  from: z.pipe(from, z.string()),
  fromDisplayName: displayName,
  replyTo: emailAddress,
  replyToDisplayName: displayName,
  envelopeFrom: emailAddress,
  starttls: flag,
  ssl: flag,
  auth: flag,
  user,
  password,
};

/**
 * A tenant's SMTP settings, as a request carries them and as they are stored. `null`, `""` and white space
 * count as absent and strings are trimmed, but for a password, which is taken as it is. An unknown field is
 * refused, since a mistyped one would be lost. What comes out has the port and the TLS flags in any case.
 */
export const settingsSchema = z.pipe(
  closedObject(fields),
  z.transform((input, context) => {
    if (input.password !== undefined && input.user === undefined) {
      context.issues.push({ code: "custom", path: ["user"], message: "must accompany password", input });
    }
    const ssl = input.ssl ?? false;
    return { ...input, port: input.port ?? (ssl ? 465 : 587), starttls: input.starttls ?? false, ssl };
  }),
);

/** Settings as they are stored, `password` being the secret itself. */
export type Settings = z.output<typeof settingsSchema>;

const mode = field(inputText, (text) =>
  text === "send" || text === "probe" ? text : { problem: 'must be "send" or "probe"' },
);

/** How to test settings: whom to send a mail to, whether to send one at all, and which settings to try. */
export const testSchema = closedObject({
  to: emailAddress,
  mode,
  settings: z.optional(z.nullable(settingsSchema)),
});

/** The query of a save. Other parameters are left to whoever put them there. */
export const verifySchema = z.object({ verify: flag });

/** Whether a body lacks `host` or `from`, which is answered whatever else is wrong with it. */
export function lacksMandatoryField(body: unknown): boolean {
  const { host, from } = (body ?? {}) as { host?: unknown; from?: unknown };
  return [host, from].map(trimmed).some((value) => value === undefined || value === null || value === "");
}

/** An object that refuses fields it does not know: a mistyped one would be lost. */
function closedObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? `is not a known field; these are: ${known}` : "must be an object",
  });
}

/** A field that may be absent, with the rule for what is there. */
function field<Schema extends z.ZodMiniType, Value>(
  input: Schema,
  rule: (input: NonNullable<z.output<Schema>>) => Value | Problem,
  { trim } = { trim: true },
) {
  return z.pipe(
    input,
    z.transform((sent, context): Value | undefined => {
      const value = trim ? trimmed(sent) : sent;
      if (value === undefined || value === null || value === "") return undefined;
      const ruling = rule(value);
      if (!isProblem(ruling)) return ruling;
      context.issues.push({ code: "custom", message: ruling.problem, input: value });
      return z.NEVER;
    }),
  );
}

function trimmed<Value>(value: Value): Value {
  return typeof value === "string" ? (value.trim() as Value) : value;
}

function isProblem(ruling: unknown): ruling is Problem {
  return typeof ruling === "object" && ruling !== null && "problem" in ruling;
}

function validAddress(address: string): string | Problem {
  const problem = emailAddressProblem(address);
  return problem === undefined ? address : { problem };
}

function singleLine(text: string, max: number): string | Problem {
  if (characters(text) > max) return { problem: `must have at most ${max} characters` };
  if (!text.isWellFormed()) return { problem: "must be valid Unicode" };
  return /[\p{Cc}\u2028\u2029]/u.test(text) ? { problem: "must not contain control characters" } : text;
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

function characters(text: string): number {
  return [...text].length;
}
