/** Longest bearer token, in characters. Keycloak's tokens grow with the roles, but rarely exceed 8 KiB. */
export const TOKEN_MAX_CHARACTERS = 16 * 1024;

/** Clock skew allowed in `exp`, `nbf` and `iat`, in seconds. RFC 7519 section 4.1.4 allows a few minutes at most. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** Longest claim kept in a caller, in characters: Keycloak's limit for a user name. Longer claims are cut. */
export const CLAIM_MAX_CHARACTERS = 255;

/** Time limit of one JWK Set fetch, body included, in milliseconds. */
export const JWKS_TIMEOUT_MS = 5_000;

/** When a fetch's lock expires, in milliseconds: after the fetch's own time limit, which releases the lock. */
export const JWKS_LOCK_MS = JWKS_TIMEOUT_MS + 1_000;

/** How long a request waits for fetches of other requests, in milliseconds: two locks that expire in turn. */
export const JWKS_MAX_WAIT_MS = 2 * JWKS_LOCK_MS;

/**
 * How long a request that could use stale keys waits for a fetch, in milliseconds. A healthy Keycloak responds in
 * less.
 */
export const JWKS_STALE_MAX_WAIT_MS = 500;

/** How often a waiting request polls the lock, in milliseconds. */
export const JWKS_POLL_MS = 20;

/** Largest JWK Set, in bytes. Keycloak's takes about 5 KiB, certificates included. */
export const JWKS_MAX_BYTES = 128 * 1024;

/** How long fetched keys are fresh, in milliseconds. */
export const JWKS_MAX_AGE_MS = 10 * 60_000;

/** Minimum time between two fetches for an unknown `kid`, in milliseconds. */
export const JWKS_UNKNOWN_KID_COOLDOWN_MS = 30_000;

/** Minimum time between two fetches from an issuer that fails or has no keys, in milliseconds. */
export const JWKS_FAILURE_COOLDOWN_MS = 10_000;

/**
 * How long keys stay in use after their fetch while the issuer fails or is slow, in milliseconds (RFC 5861).
 * An attacker with a revoked key who keeps the issuer down can use it for this long.
 */
export const JWKS_STALE_IF_ERROR_MS = 60 * 60_000;

/** Issuers cached per isolate. Each takes about 10 KiB of the isolate's 128 MiB. */
export const JWKS_CACHE_MAX_ISSUERS = 500;

/** Keys tried for one token if the issuer publishes several with the token's `kid`. */
export const JWKS_MAX_CANDIDATE_KEYS = 4;

/** Time limit of one introspection, body included, in milliseconds. */
export const INTROSPECTION_TIMEOUT_MS = 5_000;

/** When the lock of an introspection expires, and how long a request waits for that of another, in milliseconds. */
export const INTROSPECTION_LOCK_MS = INTROSPECTION_TIMEOUT_MS + 1_000;

/** How often a waiting request looks for the outcome, in milliseconds. */
export const INTROSPECTION_POLL_MS = 20;

/** How long an active token is not introspected again, in milliseconds: a logout takes effect this late. */
export const INTROSPECTION_MAX_AGE_MS = 60_000;

/** How long a failure, or an inactive token, is not introspected again, in milliseconds. */
export const INTROSPECTION_COOLDOWN_MS = 5_000;

/** Largest introspection response, in bytes: the claims of a token, which has at most 16 KiB. */
export const INTROSPECTION_MAX_BYTES = 64 * 1024;

/**
 * Tokens per issuer, in progress and cached together. A realm has few administrators at the same time, and with
 * {@link INTROSPECTION_MAX_ISSUERS}, claims of 3 KiB take 12 MiB of the isolate's 128 MiB.
 */
export const INTROSPECTION_MAX_TOKENS = 20;

/** Issuers with cached introspections per isolate. */
export const INTROSPECTION_MAX_ISSUERS = 200;
