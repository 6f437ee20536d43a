import { ConfigError } from "../config.ts";
import { ApiError, contentOf, type ErrorStatus } from "../errors.ts";
import { KvError } from "../storage/kv.ts";
import { SealingError } from "../storage/sealing.ts";
import { type Envelope, envelope } from "./envelope.ts";

/** The arguments of `c.json()`. */
type ErrorResponse = [body: Envelope, status: ErrorStatus, headers: Record<string, string>];

/** Builds the response to whatever a route or middleware has thrown. */
export function toErrorResponse(error: unknown): ErrorResponse {
  const { httpStatus, status, message, members, headers } = contentOf(toApiError(error));
  return [envelope(status, message, members), httpStatus, headers];
}

/** Translates the errors that any route may meet in configuration and storage. Others are unexpected. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ConfigError) return new ApiError("misconfigured", { reason: error.message });
  if (error instanceof KvError) return new ApiError("store_unavailable", { reason: error.message });
  if (error instanceof SealingError) {
    return new ApiError("record_unreadable", { reason: error.message, kid: error.kid });
  }
  return new ApiError("internal");
}
