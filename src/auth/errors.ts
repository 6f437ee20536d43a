import { SafeError } from "../errors.ts";

/** An invalid bearer token. The message is the reason for the log: callers learn only that the token is invalid. */
export class TokenError extends SafeError {
  override readonly name = "TokenError";
}

/** An issuer whose signing keys are unavailable, so that its tokens are neither valid nor invalid. */
export class IssuerUnavailableError extends SafeError {
  override readonly name = "IssuerUnavailableError";
  /** When the keys may be fetched again, in milliseconds since 1970, where that is known. */
  readonly retryAt: number | undefined;

  constructor(message: string, retryAt?: number) {
    super(message);
    this.retryAt = retryAt;
  }
}

/** An issuer whose introspection endpoint is unavailable, so that the roles of a token are unknown. */
export class IntrospectionUnavailableError extends SafeError {
  override readonly name = "IntrospectionUnavailableError";
}
