import type { JWTPayload } from "jose";

/** Longest claim kept in a caller, in characters: Keycloak's limit for a user name. Longer claims are cut. */
export const CLAIM_MAX_CHARACTERS = 255;

/** The sender of a request, from the claims of a verified token. */
export interface Caller {
  /** `sub`: stable, but opaque. Absent from Keycloak's lightweight tokens. */
  subject: string | undefined;
  /** `preferred_username`: names a person, but can change. */
  username: string | undefined;
  /** `azp`: the client the token was issued to. */
  client: string | undefined;
  /** `email`: where the caller receives mail. */
  email: string | undefined;
  /** `jti`: names the token itself. */
  tokenId: string | undefined;
}

/** Reads the caller from verified claims. Empty claims and claims that are not strings count as absent. */
export function callerOf(claims: JWTPayload): Caller {
  return {
    subject: stringClaim(claims.sub),
    username: stringClaim(claims.preferred_username),
    client: stringClaim(claims.azp),
    email: stringClaim(claims.email),
    tokenId: stringClaim(claims.jti),
  };
}

/** The name to display for a caller. */
export function callerName({ username, subject, client }: Caller): string {
  return username ?? subject ?? client ?? "unknown";
}

function stringClaim(claim: unknown): string | undefined {
  return typeof claim === "string" && claim !== "" ? claim.slice(0, CLAIM_MAX_CHARACTERS) : undefined;
}
