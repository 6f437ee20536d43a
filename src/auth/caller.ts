import type { JWTPayload } from "jose";
import { CLAIM_KEPT_CHARACTERS } from "../limits.ts";

/** Who sent a request, by the claims of a verified token. */
export interface Caller {
  /** `sub`: does not change, yet tells a person nothing. Keycloak's lightweight tokens lack it. */
  subject: string | undefined;
  /** `preferred_username`: tells a person, yet can change. */
  username: string | undefined;
  /** `azp`: the client that the token was issued to. */
  client: string | undefined;
  /** `email`: where to send the caller something. */
  email: string | undefined;
}

/** Reads the caller from verified claims. */
export function callerOf(claims: JWTPayload): Caller {
  return {
    subject: text(claims.sub),
    username: text(claims.preferred_username),
    client: text(claims.azp),
    email: text(claims.email),
  };
}

/** The name to show for a caller. */
export function nameOf({ username, subject, client }: Caller): string {
  return username ?? subject ?? client ?? "unknown";
}

function text(claim: unknown): string | undefined {
  return typeof claim === "string" && claim !== "" ? claim.slice(0, CLAIM_KEPT_CHARACTERS) : undefined;
}
