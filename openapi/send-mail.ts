import * as z from "zod/mini";
import type { Family } from "../src/context.ts";
import { MAIL_STATES } from "../src/delivery/mail-row.ts";
import {
  BATCH_MAX_MESSAGES,
  mailHeadersSchema,
  mailSchema,
  REQUEST_MAX_BYTES,
} from "../src/delivery/schema.ts";
import { envelope } from "../src/http/envelope.ts";
import { envelopeFieldsWith } from "./lib/envelope.ts";
import { BODY_ERRORS, operation, SETTINGS_ERRORS } from "./lib/operation.ts";
import { described, jsonOf, list, named, refTo, text } from "./lib/schemas.ts";
import type { Content, Example, Header, Link, Operation, Parameter } from "./lib/types.ts";

named("Mail", mailSchema);
named("MailHeaders", mailHeadersSchema);

/** What names a message, and where it stands. */
export const mailFields = {
  id: text(36, "Id of the message: a UUID."),
  state: described(
    z.enum(MAIL_STATES),
    "queued: waits for an attempt. sending: an attempt is under way. sent: the tenant's SMTP server accepted the message. failed: no further attempt. expired: expiresAt came first. canceled: by a request.",
  ),
};

const acceptedMailSchema = named("AcceptedMail", z.object(mailFields));

const acceptedFields = envelopeFieldsWith("ACCEPTED");

const acceptedSchema = named("Accepted", z.object({ ...acceptedFields, ...mailFields }));

const batchAcceptedSchema = named(
  "BatchAccepted",
  z.object({
    ...acceptedFields,
    messages: list(acceptedMailSchema, BATCH_MAX_MESSAGES, "The messages, in the order of the request."),
  }),
);

/** The id of a message. */
export const MAIL_ID = "01a208d0-5251-7000-9f3d-2b6c9d1e4f50";

const mail = {
  to: "ada@example.com",
  subject: "Your code",
  text: "Your code is 123456.\n",
  html: "<p>Your code is <b>123456</b>.</p>",
  tag: "login-code",
  expiresIn: 600,
};

const REQUESTS: Record<string, Example> = {
  code: { summary: "One message, valid for ten minutes", value: mail },
  newsletter: {
    summary: "With headers and another address for replies",
    value: {
      to: mail.to,
      subject: "News",
      html: "<p>News</p>",
      replyTo: "support@example.com",
      headers: {
        "List-Unsubscribe": "<https://example.com/unsubscribe?u=1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      },
    },
  },
  batch: {
    summary: "A batch",
    value: [
      { to: mail.to, subject: "Report", text: "Done.\n" },
      { to: "grace@example.com", subject: "Report", text: "Done.\n" },
    ],
  },
};

const RESPONSES: Record<string, Example> = {
  accepted: {
    summary: "One message",
    value: envelope("ACCEPTED", "Accepted for delivery", { id: MAIL_ID, state: "queued" }),
  },
  batch: {
    summary: "A batch",
    value: envelope("ACCEPTED", "Accepted for delivery", {
      messages: [
        { id: MAIL_ID, state: "queued" },
        { id: "01a208d0-5251-7001-b1c8-90d2e3f4a5b6", state: "queued" },
      ],
    }),
  },
};

/** The header that identifies a request to send. */
export const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "One key of 1 to 255 printable ASCII characters, in quotes or, if it has no comma, without (draft-ietf-httpapi-idempotency-key-header). A key belongs to the application that sends (iss with azp, else sub), and is honored for 7 days: the same body gets the same messages again, another body gets 422.",
  schema: {
    type: "string",
    // A quoted key has a backslash before each quote and backslash.
    pattern: '^("([ !#-\\[\\]-~]|\\\\["\\\\]){1,255}"|[!#-+\\--~][ -+\\--~]{0,254})$',
    maxLength: 512,
  },
  example: '"5f0c-login-code-ada"',
};

const IDEMPOTENT_REPLAYED: Header = {
  description: "true if the Idempotency-Key was known: nothing new is accepted. Otherwise absent.",
  schema: { type: "string", const: "true" },
  example: "true",
};

const REQUEST: Content = jsonOf(
  {
    anyOf: [
      refTo(mailSchema),
      { type: "array", items: refTo(mailSchema), minItems: 1, maxItems: BATCH_MAX_MESSAGES },
    ],
  },
  REQUESTS,
);

/** The operation that sends messages. */
export function sendMail(family: Family): Operation {
  const prefix = family === "SSMS" ? "/digitanium/v4/mail" : "/auth/realms/acme/mail";
  const location: Header = {
    description: "Path of the state of the message. Absent after a batch.",
    schema: { type: "string", format: "uri-reference", maxLength: 1_024 },
    example: `${prefix}/messages/${MAIL_ID}`,
  };
  const linkTo = (name: string, description: string): Link => ({
    operationId: `${name}_${family}`,
    description,
    parameters: {
      ...(family === "SHIFT" && { tenantId: "$request.path.tenantId" }),
      id: "$response.body#/id",
    },
  });
  return operation({
    operationId: `sendMail_${family}`,
    tags: [family],
    summary: "Send mail",
    description:
      "Accepts one message, or a batch of up to 100 (all or none), for delivery with the tenant's settings. Responds once they are stored, before any server is contacted. Needs a sender's role.",
    parameters: [IDEMPOTENCY_KEY],
    requestBody: {
      description: "JSON in UTF-8, without content coding, at most 1 MiB.",
      required: true,
      content: REQUEST,
    },
    successStatus: 202,
    success: {
      description: "The messages are accepted.",
      headers: { Location: location, "Idempotent-Replayed": IDEMPOTENT_REPLAYED },
      content: jsonOf({ anyOf: [refTo(acceptedSchema), refTo(batchAcceptedSchema)] }, RESPONSES),
      links: {
        read: linkTo("readMail", "Read the state of the one message that was sent."),
        cancel: linkTo("deleteMail", "Cancel the one message that was sent."),
        retry: linkTo("retryMail", "Retry the one message that was sent, if it has failed."),
      },
    },
    errors: [
      ...SETTINGS_ERRORS,
      ...BODY_ERRORS,
      "nothing_stored",
      "idempotency_key_reused",
      "outbox_full",
      "outbox_unavailable",
    ],
    errorExamples: {
      role_missing: { roles: ["tenant-mail/mail-sender"] },
      content_too_large: { maxBytes: REQUEST_MAX_BYTES },
      invalid_fields: { errors: [{ field: "[3].to", message: "is required" }] },
    },
  });
}
