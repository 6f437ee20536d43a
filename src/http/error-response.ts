import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ConfigError } from "../config.ts";
import { ApiError, contentOf } from "../errors.ts";
import { KV_RETRY_AFTER_SECONDS, KvError } from "../storage/kv.ts";
import { SealingError } from "../storage/sealing.ts";
import { type Envelope, envelope } from "./envelope.ts";

/** The words in `status`, by HTTP status. Those of 200 and 401 follow Keycloak's own responses. */
const STATUS_WORDS: Partial<Record<ContentfulStatusCode, string>> = {
  400: "BAD_REQUEST",
  401: "Unauthorized",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  412: "PRECONDITION_FAILED",
  413: "CONTENT_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  500: "INTERNAL_SERVER_ERROR",
  502: "BAD_GATEWAY",
  503: "SERVICE_UNAVAILABLE",
};

/** The arguments of `c.json()`. */
export type ErrorResponse = [body: Envelope, status: ContentfulStatusCode, headers: Record<string, string>];

/** Builds the response to whatever a route or middleware has thrown. */
export function toErrorResponse(error: unknown): ErrorResponse {
  const { httpStatus, message, members, headers } = contentOf(toApiError(error));
  const status = STATUS_WORDS[httpStatus] ?? "INTERNAL_SERVER_ERROR";
  return [envelope(status, message, members), httpStatus, headers];
}

/** Translates the errors that any route may meet in configuration and storage. Others are unexpected. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ConfigError) return new ApiError("misconfigured", { reason: error.message });
  if (error instanceof KvError) {
    const retryAfterSeconds = KV_RETRY_AFTER_SECONDS;
    return new ApiError("store_unavailable", { reason: error.message, retryAfterSeconds });
  }
  if (error instanceof SealingError) {
    return new ApiError("record_unreadable", { reason: error.message, kid: error.kid });
  }
  return new ApiError("internal");
}
