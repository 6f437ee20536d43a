import * as z from "zod/mini";
import type { Family } from "../src/context.ts";
import type { FailureReport } from "../src/delivery/report.ts";
import { listQuerySchema, PAGE_MAX_MESSAGES } from "../src/delivery/schema.ts";
import type { MailStatus } from "../src/delivery/status.ts";
import type { ApiErrorKind } from "../src/errors.ts";
import { envelope } from "../src/http/envelope.ts";
import { settingsSchema } from "../src/settings/schema.ts";
import { explain } from "../src/smtp/explain.ts";
import { diagnosisFields } from "./lib/diagnosis.ts";
import { okFields } from "./lib/envelope.ts";
import type { ErrorExamples } from "./lib/errors.ts";
import { operation, TENANT_ERRORS } from "./lib/operation.ts";
import { described, json, list, named, optionalText, queryParameters, text, time } from "./lib/schemas.ts";
import type { Example, Parameter, PathItem } from "./lib/types.ts";
import { MAIL_ID, mailFields, sendMail } from "./send-mail.ts";

const failureSchema = named(
  "MailFailure",
  z.object({
    message: text(1_000, "The failure, as a sentence for people."),
    ...diagnosisFields,
  }) satisfies z.ZodMiniType<FailureReport>,
);

const statusFields = {
  ...mailFields,
  attempts: described(z.int().check(z.minimum(0)), "Attempts to send this message. Waiting costs none."),
  createdAt: described(time, "Time of acceptance (RFC 3339, UTC)."),
  expiresAt: described(time, "Time after which no attempt starts."),
  nextAttemptAt: described(z.exactOptional(time), "Earliest next attempt, while queued."),
  waitingFor: described(
    z.exactOptional(z.enum(["server", "settings"])),
    "What every message of the tenant waits for: the SMTP server, or working settings. Absent if this message waits for its own next attempt.",
  ),
  messageId: optionalText(
    300,
    "Message-ID of the message, the same in each attempt. Absent before the first one.",
  ),
  tag: optionalText(64, "tag of the request."),
  contentDeleted: described(
    z.exactOptional(z.literal(true)),
    "Present if the content of a failed or expired message is deleted, so that it cannot be retried.",
  ),
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
    messages: list(mailStatusSchema, PAGE_MAX_MESSAGES, "The messages, newest first."),
    cursor: optionalText(36, "Start of the next page. Absent on the last one."),
  }),
);

const queued: MailStatus = {
  id: MAIL_ID,
  state: "queued",
  attempts: 0,
  createdAt: "2026-11-23T14:30:00.017Z",
  expiresAt: "2026-11-23T14:40:00.017Z",
  nextAttemptAt: "2026-11-23T14:30:00.017Z",
  tag: "login-code",
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

const expired: MailStatus = { ...ended, state: "expired", contentDeleted: true, failure: connectionFailure };

const RESPONSES = {
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
  contentDeleted: {
    contentDeleted: {
      summary: "Content deleted",
      value: envelope("OK", "Successfully deleted the content of the mail", expired),
    },
  },
  retried: {
    retried: { summary: "Queued again", value: envelope("OK", "Successfully queued the mail again", queued) },
  },
  list: {
    list: {
      summary: "A page with a next one",
      value: envelope("OK", "Successfully read messages", { messages: [waiting, sent], cursor: MAIL_ID }),
    },
  },
} satisfies Record<string, Record<string, Example>>;

const OUTBOX_ERRORS: readonly ApiErrorKind[] = [...TENANT_ERRORS, "outbox_unavailable"];

const SENDERS_AND_ADMINISTRATORS: ErrorExamples = {
  role_missing: { roles: ["tenant-mail/mail-sender", "realm-management/manage-realm"] },
};

const ID: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "Id of the message.",
  schema: { type: "string" },
  example: MAIL_ID,
};

/** The operations on a tenant's mail, by path below the family's prefix. */
export function messagePaths(family: Family): Record<string, PathItem> {
  const tags = [family];
  return {
    "/messages": {
      post: sendMail(family),
      get: operation({
        operationId: `listMails_${family}`,
        tags,
        summary: "List messages",
        description:
          "Lists the messages that the application has sent, or all of the tenant for administrators, newest first, until 7 days after their final state. Needs a sender's or an administrator's role.",
        parameters: queryParameters(listQuerySchema, {
          limit: { type: "integer", minimum: 1, maximum: PAGE_MAX_MESSAGES },
        }),
        success: {
          description: "A page of messages.",
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
        summary: "Read the state of a message",
        description:
          "Returns the state of a message, never its recipient or content. To other applications, it does not exist. Needs a sender's or an administrator's role.",
        parameters: [ID],
        success: { description: "The message.", content: json(mailReadSchema, RESPONSES.read) },
        errors: [...OUTBOX_ERRORS, "mail_not_found"],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
      delete: operation({
        operationId: `deleteMail_${family}`,
        tags,
        summary: "Cancel a message, or delete its content",
        description:
          "Cancels a queued message. Deletes the content of a failed or expired one, whose state stays. Needs a sender's or an administrator's role.",
        parameters: [ID],
        success: {
          description: "The message is canceled, or its content is deleted.",
          content: json(mailReadSchema, { ...RESPONSES.canceled, ...RESPONSES.contentDeleted }),
        },
        errors: [...OUTBOX_ERRORS, "mail_not_found", "wrong_mail_state"],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
    },
    "/messages/{id}/retry": {
      post: operation({
        operationId: `retryMail_${family}`,
        tags,
        summary: "Retry a message",
        description:
          "Queues a failed or expired message again, with its lifetime starting now. Needs a sender's or an administrator's role.",
        parameters: [ID],
        success: { description: "The message is queued.", content: json(mailReadSchema, RESPONSES.retried) },
        errors: [
          ...OUTBOX_ERRORS,
          "mail_not_found",
          "wrong_mail_state",
          "content_deleted",
          "outbox_full",
          "record_unreadable",
          "store_unavailable",
        ],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
    },
  };
}
