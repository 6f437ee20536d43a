import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { SafeError } from "../errors.ts";
import { log } from "../log.ts";
import { IssuerUnavailableError, TokenError } from "./errors.ts";
import {
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_LOCK_MS,
  JWKS_MAX_AGE_MS,
  JWKS_MAX_BYTES,
  JWKS_MAX_WAIT_MS,
  JWKS_POLL_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_STALE_MAX_WAIT_MS,
  JWKS_TIMEOUT_MS,
} from "./limits.ts";
import { readText } from "./read-text.ts";

/** The part of `fetch` that gets a JWK Set. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>;

/** jose's resolver of the keys in one JWK Set. */
export type JwksResolver = ReturnType<typeof createLocalJWKSet>;

/** Keeps work running after its request ends or is canceled: the runtime's `waitUntil`. */
export type KeepAlive = (work: Promise<unknown>) => void;

/**
 * Caches the JWK Set of one issuer:
 * - Concurrent requests share one fetch.
 * - A failing issuer gets one fetch per cooldown.
 * - The last valid keys stay in use while the issuer fails or is slow, for a bounded time (RFC 5861).
 * - An issuer that responds that it has no keys loses them at once.
 *
 * Workers forbids awaiting a promise of another request, so requests poll a lock while one of them fetches. The
 * lock expires in case the fetch never settles.
 */
export class JwksCache {
  readonly #jwksUri: string;
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  #keys: { resolve: JwksResolver; at: number } | undefined;
  /** Why the last fetch brought no keys. */
  #failure: { error: SafeError; at: number } | undefined;
  /** When the fetch in progress started. */
  #lockedAt: number | undefined;
  #staleKeysLogged = false;

  constructor(jwksUri: string, fetch: JwksFetch, keepAlive: KeepAlive) {
    this.#jwksUri = jwksUri;
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /** Whether there are keys, no matter how old. */
  get hasKeys(): boolean {
    return this.#keys !== undefined;
  }

  /**
   * Gets keys that are at most `maxAgeMs` old, by a fetch if necessary.
   *
   * @throws {TokenError} if the issuer responds that it has no keys
   * @throws {IssuerUnavailableError} if the fetch fails, or takes longer than `maxWaitMs`
   */
  async get(maxAgeMs: number, maxWaitMs?: number): Promise<JwksResolver> {
    const cached = this.#keysWithin(maxAgeMs);
    if (cached !== undefined) return cached;
    await this.#refresh(maxWaitMs);
    const fetched = this.#keysWithin(maxAgeMs);
    if (fetched !== undefined) return fetched;
    throw this.#failure?.error ?? new IssuerUnavailableError("timed out waiting for the issuer's keys");
  }

  /**
   * Gets fresh keys or, while the issuer fails or is slow, stale ones.
   *
   * @throws {TokenError} if the issuer responds that it has no keys
   * @throws {IssuerUnavailableError} if the fetch fails, and the last valid keys have expired
   */
  async getFreshOrStale(): Promise<JwksResolver> {
    const hasStale = this.#keysWithin(JWKS_STALE_IF_ERROR_MS) !== undefined;
    try {
      return await this.get(JWKS_MAX_AGE_MS, hasStale ? JWKS_STALE_MAX_WAIT_MS : undefined);
    } catch (error) {
      const stale = this.#keysWithin(JWKS_STALE_IF_ERROR_MS);
      if (stale === undefined || !(error instanceof IssuerUnavailableError)) throw error;
      this.#logStaleKeys(error.message);
      return stale;
    }
  }

  #keysWithin(maxAgeMs: number): JwksResolver | undefined {
    if (this.#keys === undefined || Date.now() >= this.#keys.at + maxAgeMs) return undefined;
    return this.#keys.resolve;
  }

  /** Once per fetch: an issuer that is down for an hour would fill the log with a line per request. */
  #logStaleKeys(reason: string): void {
    if (this.#staleKeysLogged) return;
    this.#staleKeysLogged = true;
    log("warn", "stale issuer keys in use", { jwksUri: this.#jwksUri, reason });
  }

  /** Returns when a fetch ends, at once during the cooldown, or `maxWaitMs` after the fetch started. */
  async #refresh(maxWaitMs: number | undefined): Promise<void> {
    const requestedAt = Date.now();
    const deadline = (this.#fetchingSince ?? requestedAt) + (maxWaitMs ?? JWKS_MAX_WAIT_MS);
    while (!this.#hasOutcomeSince(requestedAt) && Date.now() < deadline) {
      if (this.#fetchingSince === undefined) return this.#fetchKeysWithin(maxWaitMs);
      await scheduler.wait(JWKS_POLL_MS);
    }
  }

  async #fetchKeysWithin(maxWaitMs: number | undefined): Promise<void> {
    const fetching = this.#fetchKeys();
    this.#keepAlive(fetching);
    await (maxWaitMs === undefined ? fetching : Promise.race([fetching, scheduler.wait(maxWaitMs)]));
  }

  get #fetchingSince(): number | undefined {
    const isLocked = this.#lockedAt !== undefined && Date.now() < this.#lockedAt + JWKS_LOCK_MS;
    return isLocked ? this.#lockedAt : undefined;
  }

  #hasOutcomeSince(time: number): boolean {
    if (this.#failure !== undefined && Date.now() < this.#failure.at + JWKS_FAILURE_COOLDOWN_MS) return true;
    return this.#keys !== undefined && this.#keys.at >= time;
  }

  async #fetchKeys(): Promise<void> {
    this.#lockedAt = Date.now();
    this.#failure = undefined;
    this.#staleKeysLogged = false;
    try {
      const resolve = await this.#fetchJwks();
      this.#keys = { resolve, at: Date.now() };
    } catch (error) {
      if (error instanceof TokenError) this.#keys = undefined;
      const isOurs = error instanceof SafeError;
      const failure = isOurs ? error : new IssuerUnavailableError("the issuer is unreachable");
      this.#failure = { error: failure, at: Date.now() };
    } finally {
      this.#lockedAt = undefined;
    }
  }

  async #fetchJwks(): Promise<JwksResolver> {
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
