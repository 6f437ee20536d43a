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
  /** The application that calls, as JSON: `iss` with `azp`, else with `sub`. Unlike the claims above, never cut. */
  application: string;
}

/** Reads the caller from verified claims. Empty claims and claims that are not strings count as absent. */
export function callerOf(claims: JWTPayload): Caller {
  return {
    subject: stringClaim(claims.sub),
    username: stringClaim(claims.preferred_username),
    client: stringClaim(claims.azp),
    email: stringClaim(claims.email),
    tokenId: stringClaim(claims.jti),
    application: applicationOf(claims),
  };
}

/** The name to display for a caller. */
export function callerName({ username, subject, client }: Caller): string {
  return username ?? subject ?? client ?? "unknown";
}

function applicationOf({ iss, azp, sub }: JWTPayload): string {
  // The name of the claim keeps a user from being taken for the client of that name.
  const id = isText(azp) ? ["azp", azp] : isText(sub) ? ["sub", sub] : [];
  return JSON.stringify([iss, ...id]);
}

function stringClaim(claim: unknown): string | undefined {
  return isText(claim) ? claim.slice(0, CLAIM_MAX_CHARACTERS) : undefined;
}

function isText(claim: unknown): claim is string {
  return typeof claim === "string" && claim !== "";
}
