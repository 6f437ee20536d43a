import type { ApiErrorKind } from "../../src/errors.ts";
import { type ErrorExamples, errorResponses } from "./errors.ts";
import type { Header, Operation, Response } from "./types.ts";

/** Errors of every operation. */
export const COMMON_ERRORS: readonly ApiErrorKind[] = ["plain_http", "not_found", "method_not_allowed"];

/** Errors of every operation with a token. */
export const TENANT_ERRORS: readonly ApiErrorKind[] = [
  ...COMMON_ERRORS,
  "unauthorized",
  "role_missing",
  "internal",
  "issuer_unavailable",
  "introspection_unavailable",
  "misconfigured",
];

/** Errors of every operation that reads settings. */
export const SETTINGS_ERRORS: readonly ApiErrorKind[] = [
  ...TENANT_ERRORS,
  "record_unreadable",
  "store_unavailable",
];

/** Errors of every operation with a body. */
export const BODY_ERRORS: readonly ApiErrorKind[] = [
  "unsupported_media_type",
  "unsupported_content_coding",
  "content_too_large",
  "not_json",
  "invalid_fields",
];

/** An id of a request. */
export const REQUEST_ID_EXAMPLE = "0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11";

const REQUEST_ID: Header = {
  description: "requestId of the request's log line.",
  schema: { type: "string", format: "uuid", maxLength: 36 },
  example: REQUEST_ID_EXAMPLE,
};

type SuccessResponse = Omit<Response, "headers"> & { headers?: Record<string, Header> };

interface OperationOutline extends Omit<Operation, "responses"> {
  /** HTTP status of the success. Default: 200. */
  successStatus?: 200 | 202;
  success: SuccessResponse;
  /** Responses that are neither the success nor an error of `API_ERRORS`, by HTTP status. */
  responses?: Record<string, SuccessResponse>;
  errors: readonly ApiErrorKind[];
  /** Headers of every response, beside `X-Request-Id`. */
  headers?: Record<string, Header>;
  /** Details of errors that differ from the typical case. */
  errorExamples?: ErrorExamples;
}

/** Builds an operation: its success, and the errors that it can respond with. */
export function operation(outline: OperationOutline): Operation {
  const { successStatus = 200, success, responses, errors, headers, errorExamples, ...rest } = outline;
  const all: Record<string, SuccessResponse> = {
    [successStatus]: success,
    ...responses,
    ...errorResponses(errors, errorExamples),
  };
  return {
    ...rest,
    responses: Object.fromEntries(
      Object.entries(all).map(([status, response]) => [
        status,
        { ...response, headers: { "X-Request-Id": REQUEST_ID, ...headers, ...response.headers } },
      ]),
    ),
  };
}
