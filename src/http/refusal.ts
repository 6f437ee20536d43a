import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { FieldError, Refusal } from "../errors.ts";
import { JWKS_FAILURE_COOLDOWN_MS, STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import { envelope } from "./envelope.ts";

/** An HTTP answer, before it is one. */
export interface Answer {
  httpStatus: ContentfulStatusCode;
  body: object;
  headers?: Record<string, string>;
}

const MANDATORY_FIELDS_MISSING = "Host and From is mandatory to update Email Configuration.";

/** What a caller is told of a refusal: rich inside, no more outside than the contract says. */
export function answerTo(refusal: Refusal): Answer {
  switch (refusal.kind) {
    case "plain_http":
      return forbidden("Plain http is refused. Use https, and revoke a token that was sent without it.");
    case "role_missing":
      return {
        ...forbidden(`The token needs one of these roles: ${refusal.roles.join(", ")}.`),
        headers: { "WWW-Authenticate": 'Bearer error="insufficient_scope"' },
      };
    case "unauthorized":
      return {
        httpStatus: 401,
        body: envelope("Unauthorized", "HTTP 401 Unauthorized."),
        headers: { "WWW-Authenticate": refusal.tokenSent ? 'Bearer error="invalid_token"' : "Bearer" },
      };
    case "not_found":
      return { httpStatus: 404, body: envelope("NOT_FOUND", "There is nothing at this address.") };
    case "nothing_stored":
      return { httpStatus: 404, body: envelope("NOT_FOUND", "No SMTP settings are stored for this tenant.") };
    case "method_not_allowed":
      return {
        httpStatus: 405,
        body: envelope("METHOD_NOT_ALLOWED", `Use one of these methods: ${refusal.allowed.join(", ")}.`),
        headers: { Allow: refusal.allowed.join(", ") },
      };
    case "precondition_failed":
      return {
        httpStatus: 412,
        body: envelope(
          "PRECONDITION_FAILED",
          "The settings are not those that If-Match names: read them again.",
        ),
      };
    case "content_too_large":
      return {
        httpStatus: 413,
        body: envelope("CONTENT_TOO_LARGE", `The body must have at most ${refusal.maxBytes} bytes.`),
      };
    case "unsupported_media_type":
      return {
        httpStatus: 415,
        body: envelope(
          "UNSUPPORTED_MEDIA_TYPE",
          "Send the body as JSON, with Content-Type: application/json.",
        ),
      };
    case "not_json":
      return { httpStatus: 400, body: envelope("BAD_REQUEST", refusal.message) };
    case "mandatory_fields_missing":
      return { httpStatus: 400, body: envelope("BAD_REQUEST", MANDATORY_FIELDS_MISSING) };
    case "invalid_fields":
      return {
        httpStatus: 400,
        body: envelope("BAD_REQUEST", sentenceOf(refusal.errors), { errors: refusal.errors }),
      };
    case "smtp_failed": {
      const { message, ...details } = refusal.diagnosis;
      return { httpStatus: 502, body: envelope("BAD_GATEWAY", message, details) };
    }
    case "record_unreadable":
      return internalServerError();
    case "not_healthy": {
      const { version } = refusal;
      return {
        httpStatus: 503,
        body: envelope("SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version }),
      };
    }
    case "misconfigured":
      return { httpStatus: 503, body: envelope("SERVICE_UNAVAILABLE", "The service is not configured.") };
    case "issuer_unavailable":
      return unavailable("The keys of the token's issuer cannot be had.", JWKS_FAILURE_COOLDOWN_MS / 1000);
    case "store_unavailable":
      return unavailable("The store cannot be reached.", STORE_RETRY_AFTER_SECONDS);
  }
}

/** What a caller is told of a failure that nobody foresaw. */
export function internalServerError(): Answer {
  return { httpStatus: 500, body: envelope("INTERNAL_SERVER_ERROR", "Something went wrong on our side.") };
}

function sentenceOf(errors: readonly FieldError[]): string {
  const [first, ...others] = errors;
  if (first !== undefined && others.length === 0) return `${first.field} ${first.message}.`;
  return `These fields are not valid: ${errors.map(({ field }) => field).join(", ")}.`;
}

function forbidden(message: string): Answer {
  return { httpStatus: 403, body: envelope("FORBIDDEN", message) };
}

function unavailable(message: string, retryAfterSeconds: number): Answer {
  return {
    httpStatus: 503,
    body: envelope("SERVICE_UNAVAILABLE", `${message} Try again in a few seconds.`),
    headers: { "Retry-After": String(retryAfterSeconds) },
  };
}
