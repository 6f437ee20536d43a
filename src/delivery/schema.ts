import * as z from "zod/mini";
import {
  closedObject,
  emailAddress,
  field,
  inputText,
  outputText,
  type Problem,
  validAddress,
  visibleLine,
} from "../http/fields.ts";
import { MAIL_STATES } from "./mail-row.ts";

/** Largest request, in bytes. A row in SQLite holds 2 MB, and sealing adds a third. */
export const REQUEST_MAX_BYTES = 1024 * 1024;

/** Maximum messages per request: one response lists them all. */
export const BATCH_MAX_MESSAGES = 100;

/** Default of `expiresIn`, in seconds: one day. */
const DEFAULT_EXPIRES_IN_SECONDS = 24 * 60 * 60;

/** Maximum of `expiresIn`, in seconds: 72 hours. */
const MAX_EXPIRES_IN_SECONDS = 72 * 60 * 60;

/**
 * Maximum characters of a subject, and of a header. A line has 998 octets at most (RFC 5322 section 2.1.1), and one that
 * continues a field begins with a space.
 */
export const LINE_MAX_CHARACTERS = 997;

const HTTPS_URLS = /^<https:\/\/[\x21-\x3b\x3d\x3f-\x7e]+>(, ?<https:\/\/[\x21-\x3b\x3d\x3f-\x7e]+>)*$/;
const MESSAGE_IDS =
  /^<[\x21-\x3b\x3d\x3f\x41-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+>( <[\x21-\x3b\x3d\x3f-\x7e]+>)*$/;

/**
 * Headers that a message may set. No `X-*`: providers read those as commands, and SendGrid's `X-SMTPAPI` can add
 * recipients.
 */
export const mailHeadersSchema = closedObject({
  "List-Unsubscribe": header(
    "Addresses to unsubscribe at: https only (RFC 2369, RFC 8058).",
    "<https://example.com/unsubscribe?u=1>",
    HTTPS_URLS,
    "must be https addresses in angle brackets, separated by commas",
  ),
  "List-Unsubscribe-Post": header(
    "Asks for one-click unsubscription (RFC 8058).",
    "List-Unsubscribe=One-Click",
    /^List-Unsubscribe=One-Click$/,
    "must be List-Unsubscribe=One-Click",
  ),
  "In-Reply-To": header(
    "Message-ID of the message that this one answers (RFC 5322 section 3.6.4).",
    "<1@example.com>",
    MESSAGE_IDS,
    "must be Message-IDs in angle brackets, separated by spaces",
  ),
  References: header(
    "Message-IDs of the thread (RFC 5322 section 3.6.4).",
    "<1@example.com> <2@example.com>",
    MESSAGE_IDS,
    "must be Message-IDs in angle brackets, separated by spaces",
  ),
});

const requiredText = z.string({
  error: ({ input }) => (input === undefined || input === null ? "is required" : "must be a string"),
});

/** One message to one recipient. The sender comes from the tenant's settings. */
export const mailSchema = z.pipe(
  closedObject({
    to: field(
      { description: "Recipient: one address.", examples: ["ada@example.com"], minLength: 1, maxLength: 254 },
      requiredText,
      validAddress,
      outputText,
    ),
    subject: field(
      { description: "Subject.", examples: ["Your code"], minLength: 1, maxLength: LINE_MAX_CHARACTERS },
      requiredText,
      (text) => visibleLine(text, LINE_MAX_CHARACTERS),
      outputText,
    ),
    text: body("Plain text. text, html or both.", "Your code is 123456.\n"),
    html: body("HTML. text, html or both.", "<p>Your code is <b>123456</b>.</p>"),
    replyTo: emailAddress("Address for replies. Default: that of the settings.", "support@example.com"),
    headers: z.optional(z.nullable(mailHeadersSchema)).register(z.globalRegistry, {
      description: "Further headers, from a fixed list.",
    }),
    tag: field(
      { description: "Label to list messages by.", examples: ["login-code"], maxLength: 64 },
      inputText,
      (text) =>
        /^[\w.:-]{1,64}$/.test(text)
          ? text
          : { problem: "must have at most 64 letters, digits, dots, colons, hyphens or underscores" },
      outputText,
    ),
    expiresIn: field(
      {
        description: `Seconds after which the message is no longer sent: 60 to ${MAX_EXPIRES_IN_SECONDS}. Default: ${DEFAULT_EXPIRES_IN_SECONDS}.`,
        examples: [600],
        minimum: 60,
        maximum: MAX_EXPIRES_IN_SECONDS,
      },
      z.nullish(z.int("must be a whole number")),
      (seconds) =>
        seconds >= 60 && seconds <= MAX_EXPIRES_IN_SECONDS
          ? seconds
          : { problem: `must be from 60 to ${MAX_EXPIRES_IN_SECONDS} seconds` },
      z.optional(z.int()),
    ),
  }),
  z.transform((input, context) => {
    const { to = "", subject = "", text, html, headers, expiresIn, ...others } = input;
    const report = (message: string, ...path: string[]) =>
      context.issues.push({ code: "custom", path, message, input });
    if (to === "") report("is required", "to");
    if (subject === "") report("is required", "subject");
    if (text === undefined && html === undefined) report("is required, unless html is sent", "text");
    if (headers?.["List-Unsubscribe-Post"] !== undefined && headers["List-Unsubscribe"] === undefined) {
      report("must accompany List-Unsubscribe-Post", "headers", "List-Unsubscribe");
    }
    // Fingerprints of requests depend on this order.
    return {
      to,
      subject,
      text,
      html,
      headers: headers ?? undefined,
      ...others,
      expiresIn: expiresIn ?? DEFAULT_EXPIRES_IN_SECONDS,
    };
  }),
);

/** A validated message. */
export type Mail = z.output<typeof mailSchema>;

/** Several messages, accepted or rejected as one. */
export const batchSchema = z
  .array(mailSchema)
  .check(
    z.minLength(1, "must hold at least one message"),
    z.maxLength(BATCH_MAX_MESSAGES, `must hold at most ${BATCH_MAX_MESSAGES} messages`),
  );

/** Entries per page, unless the request asks for another number. */
const PAGE_SIZE = 50;

/** Maximum entries per page. */
export const PAGE_MAX_MESSAGES = 200;

const LIMIT_PROBLEM = `must be a whole number from 1 to ${PAGE_MAX_MESSAGES}`;
const STATE_PROBLEM = `must be one of ${MAIL_STATES.join(", ")}`;

/** The query of a list of messages. */
export const listQuerySchema = z.object({
  state: z
    .optional(z.enum(MAIL_STATES, STATE_PROBLEM))
    .register(z.globalRegistry, { description: "Only messages in this state." }),
  tag: z.optional(z.string()).register(z.globalRegistry, { description: "Only messages with this tag." }),
  limit: z
    .pipe(
      z.optional(z.string().check(z.regex(/^([1-9]\d?|1\d\d|200)$/, LIMIT_PROBLEM))),
      z.transform((text) => Number(text ?? PAGE_SIZE)),
    )
    .register(z.globalRegistry, {
      description: `Maximum entries per page. Default: ${PAGE_SIZE}.`,
      examples: ["20"],
    }),
  cursor: z
    .optional(z.string().check(z.regex(/^[\da-f-]{36}$/, "must be the cursor of the previous page")))
    .register(z.globalRegistry, {
      description: "cursor of the previous page. Default: the newest messages.",
    }),
});

function header(description: string, example: string, form: RegExp, problem: string) {
  return field(
    { description, examples: [example], maxLength: LINE_MAX_CHARACTERS },
    inputText,
    (text): string | Problem => (text.length <= LINE_MAX_CHARACTERS && form.test(text) ? text : { problem }),
    outputText,
  );
}

function body(description: string, example: string) {
  const rule = (text: string) => {
    if (!text.isWellFormed()) return { problem: "must be valid Unicode" };
    return text.includes("\0") ? { problem: "must not contain NUL" } : text;
  };
  return field({ description, examples: [example] }, inputText, rule, outputText, { trim: false });
}
