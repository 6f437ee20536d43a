/** Largest request body, in bytes. Real settings take under 1 KiB. */
export const BODY_MAX_BYTES = 16 * 1024;

/** Longest bearer token, in characters. Keycloak's grow with the roles, yet pass 8 KiB only by mistake. */
export const TOKEN_MAX_CHARACTERS = 16 * 1024;

/** Clock difference forgiven in `exp`, `nbf` and `iat`, in seconds (RFC 7519 section 4.1.4: "a few minutes" at most). */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** One fetch of an issuer's keys, connection and body together, in milliseconds. */
export const JWKS_TIMEOUT_MS = 5_000;

/** How long other requests wait for a fetch, in milliseconds: it has ended by itself before that. */
export const JWKS_CLAIM_MS = JWKS_TIMEOUT_MS + 1_000;

/** How long a request waits for other requests' fetches, in milliseconds, should one after the other not end. */
export const JWKS_PATIENCE_MS = 2 * JWKS_CLAIM_MS;

/** Largest JWK Set, in bytes. Keycloak's, certificates included, take about 5 KiB. */
export const JWKS_MAX_BYTES = 128 * 1024;

/** How long fetched keys are used without asking again, in milliseconds. */
export const JWKS_FRESH_MS = 10 * 60_000;

/** Shortest time between two fetches for a `kid` that the keys at hand lack, in milliseconds. */
export const JWKS_UNKNOWN_KID_COOLDOWN_MS = 30_000;

/** How long an issuer that failed is left alone, in milliseconds. */
export const JWKS_FAILURE_COOLDOWN_MS = 10_000;

/**
 * How long keys outlive their last good fetch while the issuer is down, in milliseconds. An attacker who
 * holds a revoked key and keeps the issuer down has this long.
 */
export const JWKS_STALE_IF_ERROR_MS = 60 * 60_000;

/** How often a request looks whether another request's fetch has ended, in milliseconds. */
export const JWKS_POLL_MS = 20;

/** Issuers whose keys are kept in an isolate. About 10 KiB each, of an isolate's 128 MiB. */
export const JWKS_CACHED_ISSUERS = 500;

/** Keys tried for one token where an issuer publishes several under one `kid`. */
export const JWKS_CANDIDATES = 4;

/** Waits before a KV write refused with 429 is tried again, in milliseconds: KV takes one write a second and key. */
export const KV_RETRY_DELAYS_MS = [400, 1_100, 1_600] as const;

/** When to try again after KV has failed, in seconds. */
export const STORE_RETRY_AFTER_SECONDS = 2;

/** Field errors told of one body: 16 KiB hold thousands of unknown fields, to be answered by half a megabyte. */
export const FIELD_ERRORS_TOLD = 20;

/** Characters told of an unknown field's name, which may be anything. */
export const FIELD_NAME_TOLD_CHARACTERS = 64;

/** Characters kept of a token's claim: as many as Keycloak allows a user name. */
export const CLAIM_KEPT_CHARACTERS = 255;

/** TCP, and TLS where it comes first, in milliseconds. */
export const SMTP_CONNECT_TIMEOUT_MS = 5_000;

/** From the connection to the server's greeting, in milliseconds. */
export const SMTP_GREETING_TIMEOUT_MS = 5_000;

/** From a command to its whole reply, in milliseconds: bytes that drip do not make it longer. */
export const SMTP_REPLY_TIMEOUT_MS = 10_000;

/** A whole conversation, in milliseconds. */
export const SMTP_TOTAL_TIMEOUT_MS = 20_000;

/** Largest reply, in bytes. RFC 5321 section 4.5.3.1.5 allows 512 a line; an EHLO reply has some twenty. */
export const SMTP_REPLY_MAX_BYTES = 64 * 1024;

/** Most that is read from a server before TLS, and again after it, in bytes. Usual are some 2 KiB. */
export const SMTP_CONVERSATION_MAX_BYTES = 128 * 1024;

/** How long a socket may take to close once nothing more is expected from it, in milliseconds. */
export const SMTP_CLOSE_TIMEOUT_MS = 500;

/** Shortest time for which KV lets a place keep what it has read, in seconds. */
export const KV_CACHE_MIN_SECONDS = 30;

/** How long history is kept, in seconds: 400 days, a year and some time to look back on it. */
export const HISTORY_KEPT_SECONDS = 400 * 24 * 60 * 60;

/** Bytes, as JSON, of a claim in the history, before it is cut: three of them fit KV's 1,024 bytes of metadata. */
export const HISTORY_CLAIM_BYTES = 128;

/** Entries of a page of history, unless the request says otherwise. */
export const HISTORY_PAGE_ENTRIES = 50;

/** Most entries of a page of history. KV lists up to 1000 keys at once. */
export const HISTORY_PAGE_MAX_ENTRIES = 1_000;

/** KV operations of one rotation run. Workers allow 1,000 external operations an invocation. */
export const ROTATION_MAX_OPERATIONS = 900;

/**
 * How long a record is left alone after a save, in milliseconds. KV shows a change everywhere within
 * 60 seconds or so; before that, a rotation could read the settings before the save, and write them back.
 */
export const ROTATION_QUIET_MS = 5 * 60_000;
