import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { log } from "../log.ts";
import { readText } from "../read-text.ts";
import { IssuerUnavailableError, TokenError } from "./errors.ts";
import { type KeepAlive, SharedFetch } from "./shared-fetch.ts";

/** Time limit of one JWK Set fetch, body included, in milliseconds. */
export const JWKS_TIMEOUT_MS = 5_000;

/**
 * How long a request that could use stale keys waits for a fetch, in milliseconds. A healthy Keycloak responds in
 * less.
 */
export const JWKS_STALE_MAX_WAIT_MS = 500;

/** Largest JWK Set, in bytes. Keycloak's takes about 5 KiB, certificates included. */
export const JWKS_MAX_BYTES = 128 * 1024;

/** How long fetched keys are fresh, in milliseconds. */
export const JWKS_MAX_AGE_MS = 10 * 60_000;

/** Minimum time between two fetches from an issuer that fails or has no keys, in milliseconds. */
export const JWKS_FAILURE_COOLDOWN_MS = 10_000;

/**
 * How long keys stay in use after their fetch while the issuer fails or is slow, in milliseconds (RFC 5861).
 * An attacker with a revoked key who keeps the issuer down can use it for this long.
 */
export const JWKS_STALE_IF_ERROR_MS = 60 * 60_000;

/** The part of `fetch` that gets a JWK Set. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>;

/** jose's resolver of the keys in one JWK Set. */
type JwksResolver = ReturnType<typeof createLocalJWKSet>;

const UNAVAILABLE = {
  unreachable: "the issuer is unreachable",
  "timed out": "timed out waiting for the issuer's keys",
};

/**
 * Caches the JWK Set of one issuer:
 * - Concurrent requests share one fetch.
 * - A failing issuer gets one fetch per cooldown.
 * - The last valid keys stay in use while the issuer fails or is slow, for a bounded time (RFC 5861).
 * - An issuer that responds that it has no keys loses them at once.
 */
export class JwksCache {
  readonly #jwksUri: string;
  readonly #fetch: JwksFetch;
  readonly #keys: SharedFetch<JwksResolver>;
  #staleKeysLogged = false;

  constructor(jwksUri: string, fetch: JwksFetch, keepAlive: KeepAlive) {
    this.#jwksUri = jwksUri;
    this.#fetch = fetch;
    this.#keys = new SharedFetch({
      timeoutMs: JWKS_TIMEOUT_MS,
      cooldownMs: JWKS_FAILURE_COOLDOWN_MS,
      keepAlive,
      unavailable: (reason) => new IssuerUnavailableError(UNAVAILABLE[reason]),
    });
  }

  /** When the last fetch of keys has started, and when it ended. */
  get latestFetch(): { startedAt: number; at: number } | undefined {
    return this.#keys.latestFetch;
  }

  /** Whether there are keys, no matter how old. */
  get hasKeys(): boolean {
    return this.#keys.latest(Number.POSITIVE_INFINITY) !== undefined;
  }

  /**
   * Gets keys that are at most `maxAgeMs` old, by a fetch if necessary.
   *
   * @throws {TokenError} if the issuer responds that it has no keys
   * @throws {IssuerUnavailableError} if the fetch fails, or takes longer than `maxWaitMs`
   */
  get(maxAgeMs: number, maxWaitMs?: number): Promise<JwksResolver> {
    return this.#keys.get(() => this.#fetchJwks(), maxAgeMs, maxWaitMs);
  }

  /**
   * Gets fresh keys or, while the issuer fails or is slow, stale ones.
   *
   * @throws {TokenError} if the issuer responds that it has no keys
   * @throws {IssuerUnavailableError} if the fetch fails, and the last valid keys have expired
   */
  async getFreshOrStale(): Promise<JwksResolver> {
    const hasStale = this.#keys.latest(JWKS_STALE_IF_ERROR_MS) !== undefined;
    try {
      return await this.get(JWKS_MAX_AGE_MS, hasStale ? JWKS_STALE_MAX_WAIT_MS : undefined);
    } catch (error) {
      const stale = this.#keys.latest(JWKS_STALE_IF_ERROR_MS);
      if (stale === undefined || !(error instanceof IssuerUnavailableError)) throw error;
      this.#logStaleKeys(error.message);
      return stale;
    }
  }

  /** Once per fetch: an issuer that is down for an hour would fill the log with a line per request. */
  #logStaleKeys(reason: string): void {
    if (this.#staleKeysLogged) return;
    this.#staleKeysLogged = true;
    log("warn", "stale issuer keys in use", { jwksUri: this.#jwksUri, reason });
  }

  async #fetchJwks(): Promise<JwksResolver> {
    this.#staleKeysLogged = false;
    const response = await this.#fetch(this.#jwksUri, {
      // Some firewalls reject requests without User-Agent, and Workers sends none by default.
      headers: { Accept: "application/json, application/jwk-set+json", "User-Agent": "tenant-mail" },
      redirect: "manual",
      signal: AbortSignal.timeout(JWKS_TIMEOUT_MS),
    });
    if (response.status === 200) {
      const tooLarge = new IssuerUnavailableError("the issuer's JWK Set is too large");
      return parseJwks(await readText(response, JWKS_MAX_BYTES, tooLarge));
    }
    await response.body?.cancel();
    const reason = `the issuer's JWKS endpoint responded ${response.status}`;
    // Keycloak responds 404 for a realm that does not exist.
    if (response.status === 404 || response.status === 410) throw new TokenError(reason);
    throw new IssuerUnavailableError(reason);
  }
}

function parseJwks(text: string): JwksResolver {
  let jwks: JSONWebKeySet;
  let resolve: JwksResolver;
  try {
    jwks = JSON.parse(text);
    resolve = createLocalJWKSet(jwks);
  } catch {
    throw new IssuerUnavailableError("the issuer's response is not a JWK Set");
  }
  if (jwks.keys.length === 0) throw new TokenError("the issuer's JWK Set is empty");
  return resolve;
}
