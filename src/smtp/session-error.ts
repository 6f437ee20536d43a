import { NEGATIVE } from "./reply.ts";
import type { FailureKind, SmtpFailure } from "./result.ts";

/** A failure that a session detects, as opposed to its transport. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly kind: FailureKind;
  readonly details: Pick<SmtpFailure, "reply" | "oauth" | "isAuthRefused">;

  constructor(kind: FailureKind, details: SessionError["details"] = {}) {
    super(kind);
    this.kind = kind;
    this.details = details;
  }
}

/** @throws {SessionError} `reply` if a reply is negative, `protocol_error` if it is neither that nor `expected` */
export function assertReply(
  reply: string,
  expected: RegExp,
  details: Pick<SmtpFailure, "isAuthRefused"> = {},
): void {
  if (expected.test(reply)) return;
  throw NEGATIVE.test(reply)
    ? new SessionError("reply", { reply, ...details })
    : new SessionError("protocol_error");
}
