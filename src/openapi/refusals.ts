import type { Refusal } from "../errors.ts";
import { answerTo } from "../http/refusal.ts";
import { BODY_MAX_BYTES } from "../limits.ts";
import { SmtpFailure } from "../smtp/conversation.ts";
import { diagnose } from "../smtp/diagnosis.ts";
import { STEPS, storedSettings } from "./samples.ts";
import { type SchemaId, schemaReference } from "./schemas.ts";
import type { Example, Header, Reference, Response } from "./types.ts";

/** A refusal of each kind, so that a new kind that is not documented does not compile. */
export const SAMPLES: { [Kind in Refusal["kind"]]: () => Extract<Refusal, { kind: Kind }> } = {
  plain_http: () => ({ kind: "plain_http" }),
  not_found: () => ({ kind: "not_found", reason: "" }),
  nothing_stored: () => ({ kind: "nothing_stored" }),
  method_not_allowed: () => ({ kind: "method_not_allowed", allowed: ["GET", "HEAD"] }),
  unauthorized: () => ({ kind: "unauthorized", tokenSent: true, reason: "" }),
  role_missing: () => ({ kind: "role_missing", roles: ["manage-realm"] }),
  precondition_failed: () => ({ kind: "precondition_failed" }),
  unsupported_media_type: () => ({ kind: "unsupported_media_type" }),
  content_too_large: () => ({ kind: "content_too_large", maxBytes: BODY_MAX_BYTES }),
  not_json: () => ({ kind: "not_json", message: "The body must be a JSON object." }),
  mandatory_fields_missing: () => ({ kind: "mandatory_fields_missing" }),
  invalid_fields: () => ({
    kind: "invalid_fields",
    errors: [{ field: "port", message: "must be a whole number from 1 to 65535" }],
  }),
  smtp_failed: () => {
    const failure = new SmtpFailure(
      "reply",
      "authentication",
      STEPS.slice(0, 3),
      "535 5.7.8 Username and password not accepted",
    );
    return { kind: "smtp_failed", diagnosis: diagnose(failure, storedSettings()) };
  },
  not_healthy: () => ({ kind: "not_healthy", version: "0.1.0" }),
  misconfigured: () => ({ kind: "misconfigured", reason: "" }),
  issuer_unavailable: () => ({ kind: "issuer_unavailable", reason: "" }),
  store_unavailable: () => ({ kind: "store_unavailable", reason: "" }),
  record_unreadable: () => ({ kind: "record_unreadable", tenant: "acme", kid: undefined, reason: "" }),
};

type Kind = Refusal["kind"];

interface RefusalGroup {
  description: string;
  /** All of them have one HTTP status. */
  kinds: readonly [Kind, ...Kind[]];
  schema?: SchemaId;
}

/** The refusals that an operation shares with others, by their names in the document. */
export const REFUSALS = {
  InvalidSettings: {
    description: "Fields or the body are not valid. Nothing has changed.",
    kinds: ["mandatory_fields_missing", "invalid_fields", "not_json"],
    schema: "BadRequest",
  },
  InvalidQuery: {
    description: "The query is not valid.",
    kinds: ["invalid_fields"],
    schema: "BadRequest",
  },
  Unauthorized: {
    description: "No token, or one that is not good for this tenant, whatever the reason.",
    kinds: ["unauthorized"],
  },
  Forbidden: {
    description: "Plain http, or a good token without an administrator's role.",
    kinds: ["role_missing", "plain_http"],
  },
  PlainHttp: { description: "Plain http.", kinds: ["plain_http"] },
  NotFound: { description: "No such address or tenant id.", kinds: ["not_found"] },
  NothingStored: {
    description: "Nothing is stored for this tenant; or there is no such address or tenant id.",
    kinds: ["nothing_stored", "not_found"],
  },
  MethodNotAllowed: {
    description: "The address does not know the method; Allow says which ones it knows.",
    kinds: ["method_not_allowed"],
  },
  PreconditionFailed: {
    description: "The settings are not those that If-Match names. Nothing has changed.",
    kinds: ["precondition_failed"],
  },
  ContentTooLarge: { description: "The body is larger than 16 KiB.", kinds: ["content_too_large"] },
  UnsupportedMediaType: {
    description: "The body is not application/json.",
    kinds: ["unsupported_media_type"],
  },
  SmtpFailed: {
    description: "The SMTP server did not accept the settings.",
    kinds: ["smtp_failed"],
    schema: "SmtpFailed",
  },
  InternalServerError: {
    description: "The stored record does not open, or an error of our own; the log tells.",
    kinds: ["record_unreadable"],
  },
  ServiceUnavailable: {
    description: "KV or the issuer's keys cannot be had, or the Worker's configuration is not whole.",
    kinds: ["store_unavailable", "issuer_unavailable", "misconfigured"],
  },
  Misconfigured: {
    description: "The Worker's configuration is not whole.",
    kinds: ["misconfigured"],
  },
  NotHealthy: {
    description: "KV does not answer, or the Worker's configuration is not whole.",
    kinds: ["not_healthy"],
    schema: "NotHealthy",
  },
} satisfies Record<string, RefusalGroup>;

/** Name of a group of refusals in the document. */
export type RefusalId = keyof typeof REFUSALS;

/** The refusals as the document's reusable responses: each example is what the Worker itself would answer. */
export function refusalResponses(headers: Record<string, Reference>): Record<string, Response> {
  const groups = Object.entries<RefusalGroup>(REFUSALS);
  return Object.fromEntries(groups.map(([id, group]) => [id, responseOf(group, headers)]));
}

/** The responses of an operation that are refusals, by HTTP status. */
export function refusalReferences(ids: readonly RefusalId[]): Record<string, Reference> {
  return Object.fromEntries(
    ids.map((id) => [
      String(sampleAnswer(REFUSALS[id].kinds[0]).httpStatus),
      { $ref: `#/components/responses/${id}` },
    ]),
  );
}

/** What the Worker answers to a refusal of a kind. */
export function sampleAnswer(kind: Kind) {
  return answerTo(SAMPLES[kind]());
}

function responseOf(
  { description, kinds, schema = "Refusal" }: RefusalGroup,
  everywhere: Record<string, Reference>,
): Response {
  const answers = kinds.map((kind) => ({ kind, ...sampleAnswer(kind) }));
  const examples = answers.map(({ kind, body }): [string, Example] => [
    kind,
    { summary: kind.replaceAll("_", " "), value: body },
  ]);
  const headers = answers.flatMap(({ headers = {} }) =>
    Object.entries(headers).map(([name, example]): [string, Header] => [
      name,
      { description: HEADERS[name] ?? name, schema: { type: "string" }, example },
    ]),
  );
  return {
    description,
    headers: { ...everywhere, ...Object.fromEntries(headers) },
    content: {
      "application/json": { schema: schemaReference(schema), examples: Object.fromEntries(examples) },
    },
  };
}

const HEADERS: Record<string, string> = {
  "WWW-Authenticate":
    "The challenge (RFC 6750 section 3), without error where no token was sent; absent over plain http.",
  "Retry-After": "Seconds after which to try again; absent where that does not help.",
  Allow: "The methods that the address knows.",
};
