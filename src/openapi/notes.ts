import { HISTORY_PAGE_ENTRIES } from "../limits.ts";
import {
  DISPLAY_NAME_MAX_CHARACTERS,
  MASKED_PASSWORD,
  PASSWORD_MAX_CHARACTERS,
  USER_MAX_CHARACTERS,
} from "../settings/schema.ts";
import type { SchemaId, SchemaInput } from "./schemas.ts";
import type { JsonSchema } from "./types.ts";

/** What a schema that validates does not tell by itself: what a field is for, and the rule that is code. */
export type Note = { description: string } & Pick<
  JsonSchema,
  "examples" | "maxLength" | "minLength" | "minimum" | "maximum" | "pattern" | "enum" | "type"
>;

/** A note for each field, so that a field that is forgotten does not compile. */
export type Notes<Fields> = { [Name in keyof Fields]-?: Note };

const envelope = {
  message: { description: "What happened, in one sentence for a person." },
  status: { description: "The outcome, in a word for a program." },
  subSystem: { description: "The part of the platform that speaks: 8 is mail." },
};

const emailAddress = { maxLength: 254, examples: ["reply@example.com"] };

const displayName = { maxLength: DISPLAY_NAME_MAX_CHARACTERS, examples: ["Example Ltd"] };

// White space around is for the validator to trim; case is for nobody to care about.
const flag = { examples: [true, "true"], pattern: "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])?$" };

const settings = {
  host: {
    description:
      "The SMTP server: a public host name or IP address, without port or scheme. An IDN becomes punycode.",
    minLength: 1,
    examples: ["smtp.example.com"],
  },
  port: {
    description: "1 to 65535, without 25, which Cloudflare blocks. Absent: 465 with ssl, else 587.",
    pattern: "^([1-9][0-9]{0,4})?$",
    minimum: 1,
    maximum: 65_535,
    examples: ["587", 465],
  },
  from: {
    description: "The sender's address: at most 254 octets, at most 64 of them before the @.",
    minLength: 1,
    maxLength: 254,
    examples: ["sender@example.com"],
  },
  fromDisplayName: { description: "The sender's name.", ...displayName },
  replyTo: { description: "The address that answers go to.", ...emailAddress },
  replyToDisplayName: { description: "The name at that address.", ...displayName },
  envelopeFrom: { description: "The address that bounces go to (MAIL FROM). Absent: from.", ...emailAddress },
  starttls: { description: "TLS after STARTTLS, or no mail at all. If ssl is set too, ssl wins.", ...flag },
  ssl: { description: "TLS from the first byte.", ...flag },
  auth: { description: "false: user and password are not used.", ...flag },
  user: {
    description: "The user to log in as.",
    maxLength: USER_MAX_CHARACTERS,
    examples: ["sender@example.com"],
  },
  password: {
    description: `The user's password, not trimmed; it needs user. ${MASKED_PASSWORD} keeps the stored one, as long as host, port, user and TLS mode are those that it was given for.`,
    maxLength: PASSWORD_MAX_CHARACTERS,
    examples: ["app-password", MASKED_PASSWORD],
  },
} satisfies Record<string, Note>;

const steps = { description: "The stages that were passed, in their order." };

const reply = { description: "What the SMTP server said: printable, on one line, at most 200 characters." };

/** Of the members of every schema in the document. */
export const NOTES: { [Id in SchemaId]: Notes<SchemaInput<Id>> } = {
  Settings: settings,
  TestRequest: {
    to: {
      description: "Whom to send the test mail to. Absent: the address in the token's claim email.",
      maxLength: 254,
      examples: ["ada@example.com"],
    },
    mode: {
      description: "send (or absent): send a mail. probe: connect and log in, and send none.",
      enum: ["send", "probe", "", null],
      examples: ["probe"],
    },
    settings: { description: "The settings to test, before they are saved. Absent: the stored ones." },
  },
  Done: envelope,
  SettingsRead: {
    ...envelope,
    settings: { description: "The settings; they can be sent back as they are." },
    updatedAt: { description: "Time of the save (RFC 3339, in UTC)." },
    updatedBy: { description: "Name of the caller who saved." },
    warnings: { description: "What is allowed, yet seldom meant, in sentences for a person." },
  },
  SettingsView: {
    host: { description: settings.host.description },
    port: { description: "The port." },
    from: { description: "The sender's address." },
    fromDisplayName: { description: settings.fromDisplayName.description },
    replyTo: { description: settings.replyTo.description },
    replyToDisplayName: { description: settings.replyToDisplayName.description },
    envelopeFrom: { description: settings.envelopeFrom.description },
    starttls: { description: settings.starttls.description },
    ssl: { description: settings.ssl.description },
    auth: { description: settings.auth.description },
    user: { description: settings.user.description },
    password: {
      description: "Stands for the stored password, which is never shown; absent if there is none.",
    },
  },
  TestPassed: { ...envelope, steps },
  Step: {
    stage: { description: "What was passed." },
    milliseconds: { description: "Time since the stage before." },
    tls: { description: "How the connection is encrypted; in the stage tls." },
    mechanism: { description: "The SASL mechanism; in the stage authentication." },
    reply,
  },
  History: {
    ...envelope,
    entries: { description: "What was done, newest first." },
    cursor: { description: "Where the next page begins; absent on the last one." },
  },
  HistoryEntry: {
    at: { description: "When (RFC 3339, in UTC)." },
    action: { description: "What was done. test_refused: tried, and the SMTP server did not take it." },
    family: { description: "The address family that the request came by." },
    requestId: { description: "X-Request-Id of the answer, and requestId of its line in the log." },
    by: { description: "Who." },
    changed: { description: "Names of the fields that a save changed, where they are known." },
  },
  HistoryCaller: {
    sub: { description: "The subject: does not change." },
    preferred_username: { description: "The user's name, which can change." },
    azp: { description: "The client that the token was issued to." },
  },
  Health: { ...envelope, version: { description: "Version of the Worker." } },
  NotHealthy: { ...envelope, version: { description: "Version of the Worker." } },
  OpenApi: {
    openapi: { description: "The version of OpenAPI." },
    info: { description: "What the document is about, with its version." },
    paths: { description: "The operations, by path and method." },
  },
  Refusal: envelope,
  BadRequest: { ...envelope, errors: { description: "The fields that are not valid, one by one." } },
  FieldError: {
    field: { description: "Name of the field, with dots where it is nested." },
    message: { description: "What is wrong with it." },
  },
  SmtpFailed: {
    ...envelope,
    stage: { description: "Where it ended." },
    smtpCode: { description: "Code of the server's reply (RFC 5321 section 4.2), where it refused." },
    enhancedCode: { description: "Its enhanced status code (RFC 3463), where it gave one." },
    reply,
    hint: { description: "What to do." },
    steps,
  },
};

/** Of the query parameters of a save. */
export const SAVE_QUERY_NOTES = {
  verify: {
    description: "true: connect and log in to the SMTP server first, and save only if it accepts.",
    type: "boolean",
  },
} as const satisfies Record<string, Note>;

/** Of the query parameters of a read of history. */
export const HISTORY_QUERY_NOTES = {
  limit: { description: `Most entries of the page; absent: ${HISTORY_PAGE_ENTRIES}.`, examples: ["20"] },
  cursor: { description: "cursor of the page before; absent: the newest entries." },
} satisfies Record<string, Note>;
