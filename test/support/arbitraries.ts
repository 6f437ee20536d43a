import fc from "fast-check";
import { isPublicDestination, parseHost } from "../../src/mail/host.ts";

/** Every field of a save. */
const FIELDS = [
  "host",
  "port",
  "from",
  "fromDisplayName",
  "replyTo",
  "replyToDisplayName",
  "envelopeFrom",
  "starttls",
  "ssl",
  "auth",
  "user",
  "password",
  "allowutf8",
  "debug",
  "connectionTimeout",
  "timeout",
  "writeTimeout",
] as const;

const absent = fc.constantFrom(undefined, null, "");

/** Text with white space around it, which the Worker trims. */
function padded(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const space = fc.constantFrom("", " ", "\t", "\r\n", "\u00a0");
  return fc.tuple(space, text, space).map((parts) => parts.join(""));
}

function optional<Value>(value: fc.Arbitrary<Value>) {
  return fc.oneof({ weight: 1, arbitrary: absent }, { weight: 3, arbitrary: value });
}

const host = fc.oneof(
  fc.domain().filter((name) => isPublicDestination(name.toLowerCase())),
  fc
    .domain()
    .map((name) => `bücher.${name}`)
    .filter(isPublic),
  fc.ipV4().filter(isPublic),
  fc.ipV6().filter(isPublic),
);

function isPublic(text: string): boolean {
  const parsed = parseHost(text);
  return "host" in parsed && isPublicDestination(parsed.host);
}

const portNumber = fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 25);
const port = fc.oneof(portNumber, padded(portNumber.map(String)));

const milliseconds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const timeout = fc.oneof(milliseconds, padded(milliseconds.map(String)));

const flag = fc.oneof(fc.boolean(), padded(fc.constantFrom("true", "false", "TRUE", "False")));

const line = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((text) => text.trim() !== "" && !/[\p{Cc}\u2028\u2029]/u.test(text));

const displayName = line.filter((text) => !/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(text));

const password = fc
  .string({ unit: "binary", minLength: 1, maxLength: 200 })
  .filter((text) => !/[\0\r\n]/.test(text) && text !== "**********");

/** Valid settings, in every spelling that the contract allows. */
export const acceptableSettings = fc
  .record({
    host: padded(host),
    port: optional(port),
    from: padded(fc.emailAddress()),
    fromDisplayName: optional(padded(displayName)),
    replyTo: optional(padded(fc.emailAddress())),
    replyToDisplayName: optional(displayName),
    envelopeFrom: optional(fc.emailAddress()),
    starttls: optional(flag),
    ssl: optional(flag),
    auth: optional(flag),
    allowutf8: optional(flag),
    debug: optional(flag),
    connectionTimeout: optional(timeout),
    timeout: optional(timeout),
    writeTimeout: optional(timeout),
    user: padded(line),
    password: optional(password),
  })
  .chain((settings) =>
    fc.boolean().map((named) => (named ? settings : { ...settings, user: "", password: "" })),
  );

/** Any JSON value. */
export const anyJson = fc.jsonValue({ maxDepth: 3 });

/** Objects with the right fields and arbitrary values. */
export const almostSettings = fc
  .tuple(
    fc.dictionary(fc.constantFrom<string>(...FIELDS, "__proto__", "unknown"), fc.oneof(anyJson, fc.string())),
    acceptableSettings,
    fc.boolean(),
  )
  .map(([wild, tame, mixed]) => (mixed ? { ...tame, ...wild } : wild));
