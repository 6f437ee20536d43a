/** One request field that is not valid: its name, and what to do about it. */
export interface FieldError {
  field: string;
  message: string;
}

/**
 * Everything that ends a request other than success. `reason` goes to the log only; whatever the
 * caller may know stands in the other members. `http/refusal.ts` maps each kind to an answer.
 */
export type Refusal =
  | { kind: "plain_http" }
  | { kind: "not_found"; reason: string }
  | { kind: "nothing_stored" }
  | { kind: "method_not_allowed"; allowed: readonly string[] }
  | { kind: "unauthorized"; tokenSent: boolean; reason: string }
  | { kind: "role_missing"; roles: readonly string[] }
  | { kind: "precondition_failed" }
  | { kind: "unsupported_media_type" }
  | { kind: "content_too_large"; maxBytes: number }
  | { kind: "not_json"; message: string }
  | { kind: "mandatory_fields_missing" }
  | { kind: "invalid_fields"; errors: readonly FieldError[] }
  | { kind: "smtp_failed"; diagnosis: { message: string; stage: string; smtpCode?: number } }
  | { kind: "not_healthy"; version: string }
  | { kind: "misconfigured"; reason: string }
  | { kind: "issuer_unavailable"; reason: string }
  | { kind: "store_unavailable"; reason: string }
  | { kind: "record_unreadable"; tenant: string; kid: string | undefined; reason: string };

/** Carries a {@link Refusal} up to the app's error handler. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

/** Why something failed, for the log: only what we have written ourselves, as messages may quote anything. */
export function reasonOf(error: unknown): string {
  return error instanceof RefusedError && "reason" in error.refusal ? error.refusal.reason : "unforeseen";
}
