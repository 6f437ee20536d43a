import type * as z from "zod/mini";
import { API_ERRORS, ApiError, type ApiErrorKind } from "../../src/errors.ts";
import { toErrorResponse } from "../../src/http/error-response.ts";
import { smtpFailedSchema } from "./diagnosis.ts";
import { badRequestSchema, errorSchema } from "./envelope.ts";
import { jsonOf, refTo } from "./schemas.ts";
import type { Header, Response } from "./types.ts";

/** Schemas of the kinds whose body has more members than the envelope. */
const BODY_SCHEMAS: Partial<Record<ApiErrorKind, z.ZodMiniType>> = {
  invalid_fields: badRequestSchema,
  smtp_failed: smtpFailedSchema,
  keycloak_failed: errorSchema,
};

const HEADERS: Record<string, Header> = {
  "WWW-Authenticate": {
    description:
      "Challenge (RFC 6750 section 3), without error if no token was sent. Absent over plain http.",
    schema: { type: "string", maxLength: 128 },
  },
  "Retry-After": {
    description:
      "Seconds to wait before a retry: in a 429, the time that is left. Absent if a retry does not help.",
    schema: { type: "integer", minimum: 1 },
  },
  "Accept-Encoding": {
    description: "The content codings that a request may have. Absent if the media type is at fault.",
    schema: { type: "string", maxLength: 64 },
  },
  Allow: {
    description: "The methods that the address supports.",
    schema: { type: "string", maxLength: 128 },
  },
};

/** Details of errors, where an operation's typical case is another than that of `API_ERRORS`. */
export type ErrorExamples = { [Kind in ApiErrorKind]?: ApiError<Kind>["details"] };

/**
 * Documents errors as the Worker responds to them, by HTTP status.
 *
 * @param kinds that an operation can respond with
 */
export function errorResponses(
  kinds: readonly ApiErrorKind[],
  examples: ErrorExamples = {},
): Record<string, Response> {
  const byStatus = Map.groupBy(kinds, (kind) => String(API_ERRORS[kind].httpStatus));
  return Object.fromEntries([...byStatus].map(([status, kinds]) => [status, responseOf(kinds, examples)]));
}

function responseOf(kinds: readonly ApiErrorKind[], details: ErrorExamples): Response {
  const errors = kinds.map((kind) => {
    const { description, example } = API_ERRORS[kind];
    const [body, , headers] = toErrorResponse(new ApiError(kind, details[kind] ?? example));
    return { kind, description, body, headers };
  });
  const examples = errors.map(({ kind, body }) => [
    kind,
    { summary: kind.replaceAll("_", " "), value: body },
  ]);
  const headers = errors.flatMap(({ headers }) => Object.entries(headers).map(documentHeader));
  const schemas = [...new Set(kinds.flatMap((kind) => BODY_SCHEMAS[kind] ?? []))];
  const [schema = refTo(errorSchema), ...others] = schemas.map(refTo);
  return {
    description: errors.map(({ description }) => description).join(" "),
    headers: Object.fromEntries(headers),
    content: jsonOf(
      others.length === 0 ? schema : { anyOf: [schema, ...others] },
      Object.fromEntries(examples),
    ),
  };
}

function documentHeader([name, value]: [string, string]): [string, Header] {
  const { description, schema } = HEADERS[name] ?? { description: "", schema: { type: "string" } };
  return [name, { description, schema, example: schema.type === "integer" ? Number(value) : value }];
}
