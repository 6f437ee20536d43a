import * as z from "zod/mini";
import type { Family } from "../src/context.ts";
import { MAIL_STATES } from "../src/delivery/mail-row.ts";
import type { FailureReport } from "../src/delivery/report.ts";
import { BATCH_MAX_MAILS, listQuerySchema, mailHeadersSchema, mailSchema } from "../src/delivery/schema.ts";
import type { MailStatus } from "../src/delivery/status.ts";
import type { ApiErrorKind } from "../src/errors.ts";
import { envelope } from "../src/http/envelope.ts";
import { settingsSchema } from "../src/settings/schema.ts";
import { explain } from "../src/smtp/explain.ts";
import { diagnosisFields } from "./lib/diagnosis.ts";
import { envelopeFieldsWith, okFields } from "./lib/envelope.ts";
import type { ErrorExamples } from "./lib/errors.ts";
import { BODY_ERRORS, operation, SETTINGS_ERRORS, TENANT_ERRORS } from "./lib/operation.ts";
import {
  described,
  json,
  jsonOf,
  list,
  named,
  optionalText,
  queryParameters,
  refTo,
  text,
  time,
} from "./lib/schemas.ts";
import type { Content, Example, Header, Parameter, PathItem } from "./lib/types.ts";

named("Mail", mailSchema);
named("MailHeaders", mailHeadersSchema);

/** Maximum of `limit`. */
const PAGE_MAX_MESSAGES = 200;

const id = text(36, "Id of the message: a UUID.");

const state = described(
  z.enum(MAIL_STATES),
  "queued: waits for an attempt. sending: an attempt is under way. sent: the tenant's SMTP server accepted the mail. failed: no further attempt. expired: expiresAt came first. canceled: by a request.",
);

const acceptedMailSchema = named("AcceptedMail", z.object({ id, state }));

const acceptedFields = envelopeFieldsWith("ACCEPTED");

const acceptedSchema = named("Accepted", z.object({ ...acceptedFields, id, state }));

const batchAcceptedSchema = named(
  "BatchAccepted",
  z.object({
    ...acceptedFields,
    messages: list(acceptedMailSchema, BATCH_MAX_MAILS, "The mails, in the order of the request."),
  }),
);

const failureSchema = named(
  "MailFailure",
  z.object({
    message: text(1_000, "The failure, as a sentence for people."),
    ...diagnosisFields,
  }) satisfies z.ZodMiniType<FailureReport>,
);

const statusFields = {
  id,
  state,
  attempts: described(z.int().check(z.minimum(0)), "Attempts to send this mail. Waiting costs none."),
  createdAt: described(time, "Time of acceptance (RFC 3339, UTC)."),
  expiresAt: described(time, "Time after which no attempt starts."),
  nextAttemptAt: described(z.exactOptional(time), "Earliest next attempt, while queued."),
  waitingFor: described(
    z.exactOptional(z.enum(["server", "settings"])),
    "What every mail of the tenant waits for: the SMTP server, or working settings. Absent if this mail waits for its own next attempt.",
  ),
  messageId: optionalText(
    300,
    "Message-ID of the mail, the same in each attempt. Absent before the first one.",
  ),
  tag: optionalText(64, "tag of the request."),
  failure: described(z.exactOptional(failureSchema), "The last failure, worded like a failed test."),
};

/** A message, without recipient and content. */
export const mailStatusSchema = named(
  "MailStatus",
  z.object(statusFields) satisfies z.ZodMiniType<MailStatus>,
);

const mailReadSchema = named("MailRead", z.object({ ...okFields, ...statusFields }));

const mailsReadSchema = named(
  "MailsRead",
  z.object({
    ...okFields,
    messages: list(mailStatusSchema, PAGE_MAX_MESSAGES, "The mails, newest first."),
    cursor: optionalText(36, "Start of the next page. Absent on the last one."),
  }),
);

const MAIL_ID = "01a208d0-5251-7000-9f3d-2b6c9d1e4f50";

const mail = {
  to: "ada@example.com",
  subject: "Your code",
  text: "Your code is 123456.\n",
  html: "<p>Your code is <b>123456</b>.</p>",
  tag: "login-code",
  expiresIn: 600,
};

const REQUESTS: Record<string, Example> = {
  code: { summary: "One mail, valid for ten minutes", value: mail },
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

const queued: MailStatus = {
  id: MAIL_ID,
  state: "queued",
  attempts: 0,
  createdAt: "2026-11-23T14:30:00.017Z",
  expiresAt: "2026-11-23T14:40:00.017Z",
  nextAttemptAt: "2026-11-23T14:30:00.017Z",
  tag: mail.tag,
};

const { steps: _, ...connectionFailure } = explain(
  { kind: "not_connected", stage: "connect", steps: [], contentSent: false, smtputf8: false },
  { settings: z.parse(settingsSchema, { host: "smtp.example.com", from: "sender@example.com" }) },
).diagnosis;

const waiting: MailStatus = {
  ...queued,
  nextAttemptAt: "2026-11-23T14:31:12.402Z",
  waitingFor: "server",
  failure: connectionFailure,
};

const { nextAttemptAt: __, ...ended } = queued;

const sent: MailStatus = {
  ...ended,
  state: "sent",
  attempts: 1,
  messageId: `<${MAIL_ID}@example.com>`,
};

const RESPONSES = {
  accepted: {
    accepted: {
      summary: "One mail",
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
  },
  read: {
    sent: { summary: "Sent", value: envelope("OK", "Successfully read the mail", sent) },
    waiting: {
      summary: "Waits for the SMTP server",
      value: envelope("OK", "Successfully read the mail", waiting),
    },
  },
  canceled: {
    canceled: {
      summary: "Canceled",
      value: envelope("OK", "Successfully canceled the mail", { ...ended, state: "canceled" }),
    },
  },
  retried: {
    retried: { summary: "Queued again", value: envelope("OK", "Successfully queued the mail again", queued) },
  },
  list: {
    list: {
      summary: "A page with a next one",
      value: envelope("OK", "Successfully read mails", { messages: [waiting, sent], cursor: MAIL_ID }),
    },
  },
} satisfies Record<string, Record<string, Example>>;

const OUTBOX_ERRORS: readonly ApiErrorKind[] = [...TENANT_ERRORS, "outbox_unavailable"];

const SENDERS: ErrorExamples = { role_missing: { roles: ["tenant-mail/mail-sender"] } };

const SENDERS_AND_ADMINISTRATORS: ErrorExamples = {
  role_missing: { roles: ["tenant-mail/mail-sender", "realm-management/manage-realm"] },
};

/** The header that identifies a request to send. */
export const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "1 to 255 printable ASCII characters, with or without quotes (draft-ietf-httpapi-idempotency-key-header). A key is honored for 7 days, per tenant: the same body gets the same messages again, another body gets 422.",
  schema: {
    type: "string",
    // A quoted key has a backslash before each quote and backslash.
    pattern: '^("([ !#-\\[\\]-~]|\\\\["\\\\]){1,255}"|[!#-~][ -~]{0,254})$',
    maxLength: 512,
  },
  example: '"5f0c-login-code-ada"',
};

const IDEMPOTENT_REPLAYED: Header = {
  description: "true if the Idempotency-Key was known: nothing new is accepted. Otherwise absent.",
  schema: { type: "string", const: "true" },
  example: "true",
};

const ID: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "Id of the mail.",
  schema: { type: "string" },
  example: MAIL_ID,
};

const REQUEST: Content = jsonOf(
  {
    anyOf: [
      refTo(mailSchema),
      { type: "array", items: refTo(mailSchema), minItems: 1, maxItems: BATCH_MAX_MAILS },
    ],
  },
  REQUESTS,
);

/** The operations on a tenant's mail, by path below the family's prefix. */
export function messagePaths(family: Family): Record<string, PathItem> {
  const tags = [family];
  const prefix = family === "SSMS" ? "/digitanium/v4/mail" : "/auth/realms/acme/mail";
  const location: Header = {
    description: "Path of the mail's state. Absent after a batch.",
    schema: { type: "string", format: "uri-reference", maxLength: 1_024 },
    example: `${prefix}/messages/${MAIL_ID}`,
  };
  return {
    "/messages": {
      post: operation({
        operationId: `sendMail_${family}`,
        tags,
        summary: "Send mail",
        description:
          "Accepts one mail, or a batch of up to 100, all or none, for delivery with the tenant's settings. Responds once they are durable, before any server is contacted. Needs a sender's role.",
        parameters: [IDEMPOTENCY_KEY],
        requestBody: { description: "JSON in UTF-8, at most 1 MiB.", required: true, content: REQUEST },
        successStatus: 202,
        success: {
          description: "The mails are accepted.",
          headers: { Location: location, "Idempotent-Replayed": IDEMPOTENT_REPLAYED },
          content: jsonOf({ anyOf: [refTo(acceptedSchema), refTo(batchAcceptedSchema)] }, RESPONSES.accepted),
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
          ...SENDERS,
          content_too_large: { maxBytes: 1024 * 1024 },
          invalid_fields: { errors: [{ field: "[3].to", message: "is required" }] },
        },
      }),
      get: operation({
        operationId: `listMails_${family}`,
        tags,
        summary: "List mails",
        description:
          "Lists the tenant's mails, newest first, until 7 days after their final state. Needs a sender's or an administrator's role.",
        parameters: queryParameters(listQuerySchema, {
          limit: { type: "integer", minimum: 1, maximum: PAGE_MAX_MESSAGES },
        }),
        success: {
          description: "A page of mails.",
          content: json(mailsReadSchema, RESPONSES.list),
        },
        errors: [...OUTBOX_ERRORS, "invalid_fields"],
        errorExamples: {
          ...SENDERS_AND_ADMINISTRATORS,
          invalid_fields: {
            errors: [{ field: "limit", message: `must be a whole number from 1 to ${PAGE_MAX_MESSAGES}` }],
          },
        },
      }),
    },
    "/messages/{id}": {
      get: operation({
        operationId: `readMail_${family}`,
        tags,
        summary: "Read a mail's state",
        description:
          "Returns the state of a mail, never its recipient or content. Needs a sender's or an administrator's role.",
        parameters: [ID],
        success: { description: "The mail.", content: json(mailReadSchema, RESPONSES.read) },
        errors: [...OUTBOX_ERRORS, "mail_not_found"],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
      delete: operation({
        operationId: `cancelMail_${family}`,
        tags,
        summary: "Cancel a mail",
        description: "Cancels a queued mail. Needs a sender's or an administrator's role.",
        parameters: [ID],
        success: {
          description: "The mail is canceled.",
          content: json(mailReadSchema, RESPONSES.canceled),
        },
        errors: [...OUTBOX_ERRORS, "mail_not_found", "wrong_mail_state"],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
    },
    "/messages/{id}/retry": {
      post: operation({
        operationId: `retryMail_${family}`,
        tags,
        summary: "Retry a mail",
        description:
          "Queues a failed or expired mail again, with its lifetime starting now. Needs a sender's or an administrator's role.",
        parameters: [ID],
        success: { description: "The mail is queued.", content: json(mailReadSchema, RESPONSES.retried) },
        errors: [...OUTBOX_ERRORS, "mail_not_found", "wrong_mail_state", "outbox_full", "record_unreadable"],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
    },
  };
}
