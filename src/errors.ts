import { defined } from "./defined.ts";

/** A request field that is not valid: its name, and how to fix it. */
export interface FieldError {
  field: string;
  message: string;
}

/** An error of a layer below the routes. Its message never quotes input, so it is safe to log. */
export class SafeError extends Error {}

/** The word in `status` for each HTTP status. That of 401 follows Keycloak's own responses. */
const STATUS_WORDS = {
  400: "BAD_REQUEST",
  401: "Unauthorized",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  409: "CONFLICT",
  412: "PRECONDITION_FAILED",
  413: "CONTENT_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  422: "UNPROCESSABLE_CONTENT",
  429: "TOO_MANY_REQUESTS",
  500: "INTERNAL_SERVER_ERROR",
  502: "BAD_GATEWAY",
  503: "SERVICE_UNAVAILABLE",
} as const;

export type ErrorStatus = keyof typeof STATUS_WORDS;

/** The response to one kind of error, and its documentation. `Details` is what the thrower adds. */
interface Definition<Details extends object> {
  httpStatus: ErrorStatus;
  /** When it happens, for the API's documentation. */
  description: string;
  message: string | ((details: Details) => string);
  /** Members of the body beside the envelope's. */
  members?: (details: Details) => object;
  headers?: (details: Details) => Record<string, string>;
  /** When trying again may help, in seconds: `Retry-After`. */
  retryAfterSeconds?: number | ((details: Details) => number);
  /** Details of a typical case, for the documented example. */
  example: Details;
}

/** Goes to the log only. */
interface Reason {
  reason: string;
}

/** The time that is left until trying again may help. */
interface TimeLeft {
  retryAfterSeconds: number;
}

const LIGHTWEIGHT_ADVICE =
  "Lightweight access tokens, such as those of admin-cli and the admin console, have none: use a token of another client.";

/** A typical diagnosis of `src/smtp/diagnosis.ts`. */
const REJECTED_PASSWORD = {
  message: "The SMTP server rejected the user and password.",
  stage: "authentication",
  smtpCode: 535,
  enhancedCode: "5.7.8",
  reply: "Username and password not accepted",
  hint: "Check user and password. Many providers require the full email address as user, and an app password.",
  steps: [
    { stage: "connect", milliseconds: 21 },
    { stage: "greeting", milliseconds: 34 },
    { stage: "tls", milliseconds: 47, tls: "STARTTLS" },
  ],
};

/**
 * Every error of the API, with its response, its documentation and the type of its details.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15 for the statuses
 */
export const API_ERRORS = {
  plain_http: define<object>({
    httpStatus: 403,
    description: "The request came over plain http.",
    message: "Plain http is rejected. Use https, and revoke any token that was sent without it.",
    example: {},
  }),
  unauthorized: define<Reason & { tokenSent: boolean }>({
    httpStatus: 401,
    description: "The token is missing, or not valid for this tenant. Only the log has the reason.",
    message: "HTTP 401 Unauthorized.",
    headers: ({ tokenSent }) => ({
      "WWW-Authenticate": tokenSent ? 'Bearer error="invalid_token"' : "Bearer",
    }),
    example: { tokenSent: true, reason: "" },
  }),
  role_missing: define<{ roles: readonly string[]; hasNone?: boolean }>({
    httpStatus: 403,
    description: "The token is valid, but lacks the role.",
    message: ({ roles, hasNone }) =>
      hasNone
        ? `The token contains no roles, and needs one of these: ${roles.join(", ")}. ${LIGHTWEIGHT_ADVICE}`
        : `The token needs one of these roles: ${roles.join(", ")}.`,
    headers: () => ({ "WWW-Authenticate": 'Bearer error="insufficient_scope"' }),
    example: { roles: ["realm-management/manage-realm"] },
  }),
  not_found: define<Reason>({
    httpStatus: 404,
    description: "No such address or tenant id.",
    message: "There is nothing at this address.",
    example: { reason: "" },
  }),
  nothing_stored: define<object>({
    httpStatus: 404,
    description: "Nothing is stored for this tenant.",
    message: "No SMTP settings are stored for this tenant.",
    example: {},
  }),
  mail_not_found: define<object>({
    httpStatus: 404,
    description: "No message has this id. Records are deleted 7 days after their final state.",
    message: "No message has this id.",
    example: {},
  }),
  wrong_mail_state: define<{ state: string }>({
    httpStatus: 409,
    description: "The state of the message does not allow it to be deleted or retried.",
    message: ({ state }) =>
      `The message is ${state}: only queued, failed or expired messages can be deleted, and only failed or expired ones retried.`,
    example: { state: "sent" },
  }),
  content_deleted: define<object>({
    httpStatus: 409,
    description: "The content of the message is deleted, so it cannot be retried.",
    message: "The content of the message is deleted, so it cannot be retried.",
    example: {},
  }),
  idempotency_key_reused: define<object>({
    httpStatus: 422,
    description: "The Idempotency-Key belongs to another request body.",
    message: "The Idempotency-Key was used with another body. Use a new key for each request.",
    example: {},
  }),
  outbox_full: define<TimeLeft>({
    httpStatus: 429,
    description: "The tenant's outbox is full: 10,000 waiting messages, or 2 GB.",
    message: "The outbox is full. Try again once messages have been sent, or fix what keeps them waiting.",
    retryAfterSeconds: ({ retryAfterSeconds }) => retryAfterSeconds,
    example: { retryAfterSeconds: 30 },
  }),
  method_not_allowed: define<{ allowed: readonly string[] }>({
    httpStatus: 405,
    description: "The address does not support the method; Allow lists those it supports.",
    message: ({ allowed }) => `Use one of these methods: ${allowed.join(", ")}.`,
    headers: ({ allowed }) => ({ Allow: allowed.join(", ") }),
    example: { allowed: ["GET", "HEAD"] },
  }),
  mandatory_fields_missing: define<object>({
    httpStatus: 400,
    description: "host or from is missing, whatever else is wrong.",
    message: "Host and From is mandatory to update Email Configuration.",
    example: {},
  }),
  invalid_fields: define<{ errors: readonly FieldError[] }>({
    httpStatus: 400,
    description: "Fields are not valid: errors names each, and how to fix it.",
    message: ({ errors }) => sentenceFor(errors),
    members: ({ errors }) => ({ errors }),
    example: { errors: [{ field: "port", message: "must be a whole number from 1 to 65535" }] },
  }),
  not_json: define<{ message: string }>({
    httpStatus: 400,
    description: "The body is not JSON in UTF-8.",
    message: ({ message }) => message,
    example: { message: "The body must be a JSON object." },
  }),
  precondition_failed: define<object>({
    httpStatus: 412,
    description: "If-Match names another version than the stored one, or nothing is stored.",
    message: "The stored settings are not the version that If-Match names. Read them again.",
    example: {},
  }),
  already_stored: define<object>({
    httpStatus: 412,
    description: "If-None-Match excludes what is stored: it is *, or names its version.",
    message: "If-None-Match excludes the settings that are stored. Read them, and save with If-Match.",
    example: {},
  }),
  settings_changed: define<object>({
    httpStatus: 412,
    description: "The stored settings changed during the request.",
    message: "The stored settings changed during this request. Read them again.",
    example: {},
  }),
  content_too_large: define<{ maxBytes: number }>({
    httpStatus: 413,
    description: "The body exceeds 16 KiB, or 1 MiB to send messages.",
    message: ({ maxBytes }) => `The body must have at most ${maxBytes} bytes.`,
    example: { maxBytes: 16_384 },
  }),
  unsupported_media_type: define<object>({
    httpStatus: 415,
    description: "The body is not application/json.",
    message: "Send the body as JSON, with Content-Type: application/json.",
    example: {},
  }),
  unsupported_content_coding: define<object>({
    httpStatus: 415,
    description: "The body has a Content-Encoding other than identity.",
    message: "Send the body as it is: without Content-Encoding, or with Content-Encoding: identity.",
    // RFC 9110 section 12.5.3.
    headers: () => ({ "Accept-Encoding": "identity" }),
    example: {},
  }),
  too_many_tests: define<TimeLeft>({
    httpStatus: 429,
    description: "Too many tests for this tenant. No server was contacted.",
    message: "Too many tests for this tenant. Try again in a minute.",
    retryAfterSeconds: ({ retryAfterSeconds }) => retryAfterSeconds,
    example: { retryAfterSeconds: 42 },
  }),
  too_many_logins: define<TimeLeft>({
    httpStatus: 429,
    description:
      "Too many logins for this tenant with settings that have never logged in. No server was contacted.",
    message:
      "Too many logins were tried with settings that have never logged in. Check user and password, and try again later.",
    retryAfterSeconds: ({ retryAfterSeconds }) => retryAfterSeconds,
    example: { retryAfterSeconds: 42 },
  }),
  smtp_failed: define<{ diagnosis: { message: string; stage: string; smtpCode?: number } }>({
    httpStatus: 502,
    description: "The SMTP server did not accept the settings.",
    message: ({ diagnosis }) => diagnosis.message,
    members: ({ diagnosis: { message: _, ...members } }) => members,
    example: { diagnosis: REJECTED_PASSWORD },
  }),
  keycloak_forbidden: define<Reason>({
    httpStatus: 403,
    description: "Keycloak does not let the token change the realm's email settings.",
    message: "Keycloak does not let this token change the realm's email settings. Nothing was changed.",
    example: { reason: "" },
  }),
  keycloak_failed: define<Reason & { mayBeApplied: boolean }>({
    httpStatus: 502,
    description: "Keycloak did not apply the settings.",
    message: ({ reason, mayBeApplied }) =>
      mayBeApplied
        ? `${reason}. Nothing was changed here, but Keycloak may already have the change. Try again.`
        : `${reason}. Nothing was changed.`,
    example: { reason: "Keycloak is unreachable", mayBeApplied: false },
  }),
  applied_but_not_stored: define<Reason>({
    httpStatus: 503,
    description: "Keycloak has the change, but KV is unavailable.",
    message: "Keycloak has the change, but it could not be stored here. Try again in a few seconds.",
    retryAfterSeconds: 2,
    example: { reason: "" },
  }),
  record_unreadable: define<Reason & { kid: string | undefined }>({
    httpStatus: 500,
    description: "The stored record cannot be decrypted.",
    message: "Something went wrong on our side.",
    example: { kid: undefined, reason: "" },
  }),
  internal: define<object>({
    httpStatus: 500,
    description: "An unexpected error, which the log locates.",
    message: "Something went wrong on our side.",
    example: {},
  }),
  misconfigured: define<Reason>({
    httpStatus: 503,
    description: "The Worker's configuration is not valid.",
    message: "The service is not configured.",
    example: { reason: "" },
  }),
  issuer_unavailable: define<Reason & Partial<TimeLeft>>({
    httpStatus: 503,
    description:
      "The signing keys of the token's issuer are unavailable, or the token's key may be a new one.",
    message: "The issuer's signing keys are unavailable. Try again in a few seconds.",
    // JWKS_FAILURE_COOLDOWN_MS: no fetch is sent sooner.
    retryAfterSeconds: ({ retryAfterSeconds = 10 }) => retryAfterSeconds,
    example: { reason: "" },
  }),
  introspection_unavailable: define<Reason>({
    httpStatus: 503,
    description: "The token contains no roles, and the issuer's token introspection is unavailable.",
    message: "The issuer's token introspection is unavailable. Try again in a few seconds.",
    // INTROSPECTION_COOLDOWN_MS: no introspection is sent before.
    retryAfterSeconds: 5,
    example: { reason: "" },
  }),
  rate_limiter_unavailable: define<Reason>({
    httpStatus: 503,
    description: "The rate limiter of tests is unavailable. No server was contacted.",
    message: "The rate limiter is unavailable. Try again in a few seconds.",
    retryAfterSeconds: 2,
    example: { reason: "" },
  }),
  outbox_unavailable: define<Reason>({
    httpStatus: 503,
    description:
      "The tenant's outbox is unavailable. Messages may have been accepted: repeat the request with its Idempotency-Key. Settings are unchanged.",
    message:
      "The outbox is unavailable. Try again in a few seconds, with the same Idempotency-Key if there is one.",
    // A deployment restarts the object within a second.
    retryAfterSeconds: 2,
    example: { reason: "" },
  }),
  store_unavailable: define<Reason>({
    httpStatus: 503,
    description: "KV is unavailable.",
    message: "The store is unavailable. Try again in a few seconds.",
    retryAfterSeconds: 2,
    example: { reason: "" },
  }),
};

export type ApiErrorKind = keyof typeof API_ERRORS;

/** What a thrower adds to each kind. */
type Details = { [Kind in ApiErrorKind]: (typeof API_ERRORS)[Kind]["example"] };

/** An error that ends a request with a documented response. For routes and middleware only. */
export class ApiError<Kind extends ApiErrorKind = ApiErrorKind> extends Error {
  override readonly name = "ApiError";
  readonly kind: Kind;
  readonly details: Details[Kind];

  constructor(
    kind: Kind,
    ...[details]: object extends Details[Kind] ? [details?: Details[Kind]] : [details: Details[Kind]]
  ) {
    super(kind);
    this.kind = kind;
    this.details = (details ?? {}) as Details[Kind];
  }
}

/** What the response to an error holds beside the envelope's constants. */
interface ErrorContent {
  httpStatus: ErrorStatus;
  status: (typeof STATUS_WORDS)[ErrorStatus];
  message: string;
  members: object;
  headers: Record<string, string>;
}

/** Looks up the response to an error. */
export function contentOf<Kind extends ApiErrorKind>({ kind, details }: ApiError<Kind>): ErrorContent {
  const definitions: { [K in ApiErrorKind]: Definition<Details[K]> } = API_ERRORS;
  const { httpStatus, message, members, headers, retryAfterSeconds } = definitions[kind];
  const seconds = typeof retryAfterSeconds === "function" ? retryAfterSeconds(details) : retryAfterSeconds;
  return {
    httpStatus,
    status: STATUS_WORDS[httpStatus],
    message: typeof message === "string" ? message : message(details),
    members: members?.(details) ?? {},
    headers: {
      ...headers?.(details),
      ...defined({ "Retry-After": seconds?.toString() }),
    },
  };
}

/**
 * Seconds until a time in milliseconds since 1970, for `Retry-After`. At least one: after a moment, the same client would
 * be back too early.
 */
export function secondsUntil(at: number): number {
  return Math.max(1, Math.ceil((at - Date.now()) / 1_000));
}

/** Why something failed, for the log. Other errors may quote anything, so they stay out. */
export function reasonOf(error: unknown): string {
  return error instanceof SafeError ? error.message : "unexpected error";
}

function define<Details extends object>(definition: Definition<Details>): Definition<Details> {
  return definition;
}

/** Maximum invalid fields that a sentence names: a batch may have thousands. */
const MAX_NAMED_FIELDS = 20;

function sentenceFor(errors: readonly FieldError[]): string {
  const [first, ...others] = errors;
  if (first !== undefined && others.length === 0) return `${first.field} ${first.message}.`;
  const names = errors.slice(0, MAX_NAMED_FIELDS).map(({ field }) => field);
  const unnamed = errors.length - names.length;
  return `These fields are not valid: ${names.join(", ")}${unnamed > 0 ? `, and ${unnamed} more` : ""}.`;
}
