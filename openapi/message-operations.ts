import type { Family } from "../src/context.ts";
import { BATCH_MAX_MAILS, listQuerySchema } from "../src/delivery/schema.ts";
import type { ApiErrorKind } from "../src/errors.ts";
import type { ErrorExamples } from "./errors.ts";
import { MAIL_ID, MESSAGE_REQUESTS, MESSAGE_RESPONSES } from "./examples.ts";
import { BODY_ERRORS, operation, SETTINGS_ERRORS, TENANT_ERRORS } from "./operation.ts";
import { json, jsonOf, queryParameters, refTo } from "./schemas.ts";
import type { Content, Header, Parameter, PathItem } from "./types.ts";

const OUTBOX_ERRORS: readonly ApiErrorKind[] = [...TENANT_ERRORS, "outbox_unavailable"];

const SENDERS: ErrorExamples = { role_missing: { roles: ["tenant-mail/mail-sender"] } };

const SENDERS_AND_ADMINISTRATORS: ErrorExamples = {
  role_missing: { roles: ["tenant-mail/mail-sender", "realm-management/manage-realm"] },
};

const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "1 to 255 printable ASCII characters, with or without quotes (draft-ietf-httpapi-idempotency-key-header). Counts once per tenant in 7 days: the same body gets the same mails again, another body gets 422.",
  schema: { type: "string", minLength: 1, maxLength: 257 },
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
    anyOf: [refTo("Mail"), { type: "array", items: refTo("Mail"), minItems: 1, maxItems: BATCH_MAX_MAILS }],
  },
  MESSAGE_REQUESTS,
);

/** The operations on a tenant's mail, by path below the family's prefix. */
export function messagePaths(family: Family): Record<string, PathItem> {
  const tags = [family];
  const prefix = family === "SSMS" ? "/digitanium/v4/mail" : "/auth/realms/acme/mail";
  const location: Header = {
    description: "Path of the mail's state. Absent after a batch.",
    schema: { type: "string", format: "uri-reference" },
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
          content: jsonOf({ anyOf: [refTo("Accepted"), refTo("BatchAccepted")] }, MESSAGE_RESPONSES.accepted),
        },
        errors: [
          ...SETTINGS_ERRORS,
          ...BODY_ERRORS,
          ...(["nothing_stored", "idempotency_key_reused", "outbox_full", "outbox_unavailable"] as const),
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
        parameters: queryParameters(listQuerySchema),
        success: {
          description: "A page of mails.",
          content: json("MailsRead", MESSAGE_RESPONSES.list),
        },
        errors: [...OUTBOX_ERRORS, "invalid_fields"],
        errorExamples: {
          ...SENDERS_AND_ADMINISTRATORS,
          invalid_fields: { errors: [{ field: "limit", message: "must be a whole number from 1 to 200" }] },
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
        success: { description: "The mail.", content: json("MailRead", MESSAGE_RESPONSES.read) },
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
          content: json("MailRead", MESSAGE_RESPONSES.canceled),
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
        success: { description: "The mail is queued.", content: json("MailRead", MESSAGE_RESPONSES.retried) },
        errors: [
          ...OUTBOX_ERRORS,
          ...(["mail_not_found", "wrong_mail_state", "outbox_full", "record_unreadable"] as const),
        ],
        errorExamples: SENDERS_AND_ADMINISTRATORS,
      }),
    },
  };
}
