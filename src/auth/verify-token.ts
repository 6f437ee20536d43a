import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { RefusedError } from "../errors.ts";
import { CLOCK_TOLERANCE_SECONDS, JWKS_CANDIDATES, TOKEN_MAX_CHARACTERS } from "../limits.ts";

/** What a token has to be to pass for one tenant. */
export interface TokenRules {
  /** Values of `iss`, expanded for the tenant. They bind the token to it. */
  issuers: readonly string[];
  /** What `aud` has to contain, if anything. */
  audience: string | undefined;
  /** The keys of one of the issuers above. */
  keysOf: (issuer: string) => JWTVerifyGetKey;
}

// Nothing symmetric, so a public key cannot pass for a shared secret, and no "none" (RFC 8725 section 3.1).
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

const HEADER_TYPES = ["JWT", "AT+JWT", "APPLICATION/AT+JWT"];

/**
 * Verifies an access token as RFC 8725 and RFC 9068 ask. What needs no key is checked first, so that
 * a token costs a fetch of keys only if it names an issuer of the tenant and has time left.
 *
 * @param token a JWS in compact form
 * @param now the time to hold `exp`, `nbf` and `iat` against
 * @returns the token's claims
 * @throws {RefusedError} `unauthorized` with the reason; `issuer_unavailable` from `rules.keysOf`
 */
export async function verifyToken(token: string, rules: TokenRules, now: Date): Promise<JWTPayload> {
  const issuer = checkBeforeKeys(token, rules.issuers, now);
  const claims = await verifySignature(token, issuer, rules, now);
  const { iat, typ } = claims;
  if (iat !== undefined && iat > now.getTime() / 1000 + CLOCK_TOLERANCE_SECONDS)
    refuse("iat is in the future");
  // Keycloak marks ID, refresh and offline tokens, which its own keys sign too.
  if (typ !== undefined && typ !== "Bearer") refuse("claim typ is not Bearer");
  return claims;
}

function checkBeforeKeys(token: string, issuers: readonly string[], now: Date): string {
  if (token.length > TOKEN_MAX_CHARACTERS) refuse("token is too long");
  const { header, claims } = decode(token);
  if (!ALGORITHMS.includes(String(header.alg))) refuse("alg is not allowed");
  if ("crit" in header) refuse("crit is not supported");
  if (header.typ !== undefined && !HEADER_TYPES.includes(String(header.typ).toUpperCase())) {
    refuse("header typ is neither JWT nor at+jwt");
  }
  if (claims.iss === undefined || !issuers.includes(claims.iss))
    refuse("iss is not an issuer of this tenant");
  if (typeof claims.exp !== "number") refuse("exp is missing");
  if (claims.exp <= now.getTime() / 1000 - CLOCK_TOLERANCE_SECONDS) refuse("token has expired");
  return claims.iss;
}

function decode(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    return refuse("not a JWT");
  }
}

async function verifySignature(
  token: string,
  issuer: string,
  rules: TokenRules,
  now: Date,
): Promise<JWTPayload> {
  const options = {
    algorithms: ALGORITHMS,
    issuer,
    requiredClaims: ["exp"],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: now,
    ...(rules.audience === undefined ? {} : { audience: rules.audience }),
  };
  try {
    return (await jwtVerify(token, rules.keysOf(issuer), options)).payload;
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithEach(error, token, options);
    return refuse(reasonOf(error));
  }
}

/** RFC 7517 section 4.5 lets keys share a `kid`, and without a `kid` any key of the algorithm may be the one. */
async function verifyWithEach(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
  let tried = 0;
  for await (const key of candidates) {
    if (++tried > JWKS_CANDIDATES) break;
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      // Another key may be the one, but no other key makes the claims better.
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
        return refuse(reasonOf(error));
      }
    }
  }
  return refuse("no key of this kid verifies the signature");
}

// A code and a claim's name only: messages may repeat what the token says.
function reasonOf(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) return "the issuer's key cannot be used";
  return "claim" in error ? `${error.code} ${error.claim}` : error.code;
}

function refuse(reason: string): never {
  throw new RefusedError({ kind: "unauthorized", tokenSent: true, reason });
}
