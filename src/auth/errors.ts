import { LoggableError } from "../errors.ts";

/** An invalid bearer token. The message is the reason for the log: callers learn only that the token is invalid. */
export class TokenError extends LoggableError {
  override readonly name = "TokenError";
}

/** An issuer whose signing keys are unavailable, so that its tokens are neither valid nor invalid. */
export class IssuerUnavailableError extends LoggableError {
  override readonly name = "IssuerUnavailableError";
}
