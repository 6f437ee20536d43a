import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { defined } from "../defined.ts";
import { SafeError } from "../errors.ts";
import { isCompactJws } from "./compact-jws.ts";
import { TokenError } from "./errors.ts";
import { hasRoleClaims } from "./roles.ts";

/** Longest bearer token, in characters. Keycloak's tokens grow with the roles, but rarely exceed 8 KiB. */
const TOKEN_MAX_CHARACTERS = 16 * 1024;

/** Clock skew allowed in `exp`, `nbf` and `iat`, in seconds. RFC 7519 section 4.1.4 allows a few minutes at most. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Keys tried for one token if the issuer publishes several with the token's `kid`. */
export const JWKS_MAX_CANDIDATE_KEYS = 4;

/** What makes a token valid for one tenant. */
export interface TokenRules {
  /** Allowed values of `iss`, expanded for the tenant. They bind the token to it. */
  issuers: readonly string[];
  /** Value that `aud` must contain, if any. */
  audience: string | undefined;
  /** Whether tokens without roles are introspected, which also checks `aud` where the token lacks it. */
  introspectsWithoutRoles?: boolean;
  /** Returns the key resolver of one of `issuers`. */
  keysOf: (issuer: string) => JWTVerifyGetKey;
}

// No symmetric algorithm, or a public key could serve as the shared secret, and no "none" (RFC 8725 section 3.1).
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/**
 * Verifies an access token (RFC 8725, RFC 9068). Checks everything that needs no key first: only a token that
 * names an issuer of the tenant and has not expired can cause a fetch.
 *
 * @param token JWS in compact serialization
 * @param now the time to compare `exp`, `nbf` and `iat` with
 * @returns the token's claims
 * @throws {TokenError} if the token is invalid
 * @throws {IssuerUnavailableError} from `rules.keysOf`
 */
export async function verifyToken(token: string, rules: TokenRules, now: Date): Promise<JWTPayload> {
  const unverified = checkBeforeFetch(token, rules.issuers, now);
  const claims = await verifySignature(token, unverified, rules, now);
  const { iat } = claims;
  if (iat !== undefined && iat > now.getTime() / 1000 + CLOCK_TOLERANCE_SECONDS) {
    throw new TokenError("iat is in the future");
  }
  return claims;
}

function checkBeforeFetch(
  token: string,
  issuers: readonly string[],
  now: Date,
): JWTPayload & { iss: string } {
  if (token.length > TOKEN_MAX_CHARACTERS) throw new TokenError("token is too long");
  if (!isCompactJws(token)) throw new TokenError("token is not a JWT");
  const { header, claims } = decode(token);
  if (!ALGORITHMS.includes(String(header.alg))) throw new TokenError("alg is not allowed");
  if ("crit" in header) throw new TokenError("crit is not supported");
  checkTokenType(header.typ, claims.typ);
  // A sender-constrained token needs a proof of possession, which is not checked here (RFC 7800 section 3).
  if ("cnf" in claims) throw new TokenError("cnf is not supported");
  if (claims.iss === undefined || !issuers.includes(claims.iss)) {
    throw new TokenError("iss is not an issuer of this tenant");
  }
  if (typeof claims.exp !== "number") throw new TokenError("exp is missing or not a number");
  if (claims.exp <= now.getTime() / 1000 - CLOCK_TOLERANCE_SECONDS) throw new TokenError("token has expired");
  return { ...claims, iss: claims.iss };
}

/**
 * Accepts only a declared access token: claim `typ` (Keycloak) or header `typ` (RFC 9068 section 2.1) says so.
 * Issuers sign ID tokens with the same keys, and most of them without a type.
 */
function checkTokenType(headerType: unknown, claimType: unknown): void {
  const type = typeof headerType === "string" ? headerType.toUpperCase() : headerType;
  const isAccessToken = type === "AT+JWT" || type === "APPLICATION/AT+JWT";
  if (type !== undefined && type !== "JWT" && !isAccessToken) {
    throw new TokenError("header typ is neither JWT nor at+jwt");
  }
  if (claimType !== undefined && claimType !== "Bearer") throw new TokenError("claim typ is not Bearer");
  if (claimType === undefined && !isAccessToken) {
    throw new TokenError("claim typ is missing, and header typ is not at+jwt");
  }
}

function decode(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    throw new TokenError("token is not a JWT");
  }
}

async function verifySignature(
  token: string,
  unverified: JWTPayload & { iss: string },
  rules: TokenRules,
  now: Date,
): Promise<JWTPayload> {
  const { iss: issuer, aud } = unverified;
  const audienceIsIntrospected =
    rules.introspectsWithoutRoles === true && aud === undefined && !hasRoleClaims(unverified);
  const options = {
    algorithms: ALGORITHMS,
    issuer,
    requiredClaims: ["exp"],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: now,
    ...defined({ audience: audienceIsIntrospected ? undefined : rules.audience }),
  };
  try {
    return (await jwtVerify(token, rules.keysOf(issuer), options)).payload;
  } catch (error) {
    if (error instanceof SafeError) throw error;
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithEach(error, token, options);
    throw tokenErrorOf(error);
  }
}

/** Tries several keys: keys may share a `kid` (RFC 7517 section 4.5), and a token may have none. */
async function verifyWithEach(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let tried = 0;
  for await (const key of candidates) {
    if (++tried > JWKS_MAX_CANDIDATE_KEYS) break;
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      // The signature is valid, so no other key changes the outcome.
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
        throw tokenErrorOf(error);
      }
    }
  }
  throw new TokenError("no key with this kid verifies the signature");
}

// Keeps jose's code and the claim's name only: jose's messages may quote the token.
function tokenErrorOf(error: unknown): TokenError {
  if (!(error instanceof errors.JOSEError)) return new TokenError("the issuer's key is unusable");
  return new TokenError("claim" in error ? `${error.code} ${error.claim}` : error.code);
}
