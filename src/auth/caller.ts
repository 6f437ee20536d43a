import type { JWTPayload } from "jose";
import { CLAIM_KEPT_CHARACTERS } from "../limits.ts";

/** Who sent a request, by the claims of a verified token. */
export interface Caller {
  /** `sub`: does not change, yet tells a person nothing. Keycloak's lightweight tokens lack it. */
  subject: string | undefined;
  /** The name to show: `preferred_username`, else `sub`, else the client (`azp`). */
  displayName: string;
  /** `email`: where to send the caller something. */
  email: string | undefined;
}

/** Reads the caller from verified claims. */
export function callerOf(claims: JWTPayload): Caller {
  const [username, subject, client] = [claims.preferred_username, claims.sub, claims.azp].map(text);
  return { subject, displayName: username ?? subject ?? client ?? "unknown", email: text(claims.email) };
}

function text(claim: unknown): string | undefined {
  return typeof claim === "string" && claim !== "" ? claim.slice(0, CLAIM_KEPT_CHARACTERS) : undefined;
}
