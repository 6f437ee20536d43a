import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { IssuerUnavailableError } from "./errors.ts";
import {
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_LOCK_MS,
  JWKS_MAX_BYTES,
  JWKS_MAX_WAIT_MS,
  JWKS_POLL_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_TIMEOUT_MS,
} from "./limits.ts";

/** The part of `fetch` that jose uses to get a JWK Set. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Keeps work running after its request is canceled: the runtime's `waitUntil`. */
export type KeepAlive = (work: Promise<unknown>) => void;

/**
 * Caches the JWK Set of one issuer, between jose and the network:
 * - Concurrent requests share one fetch.
 * - A failing issuer gets one fetch per cooldown; jose alone would fetch on every request.
 * - The last valid keys stay in use while the issuer fails, for a bounded time (RFC 5861 section 4).
 *
 * Workers forbids awaiting a promise of another request, so requests poll a lock while one of them fetches. The
 * lock expires in case the fetch never settles.
 */
export class JwksCache {
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  #stored: { body: string; at: number } | undefined;
  #failure: { reason: string; at: number } | undefined;
  #lockedUntil = 0;

  constructor(fetch: JwksFetch, keepAlive: KeepAlive) {
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /** Whether the issuer has ever responded with keys. */
  get hasKeys(): boolean {
    return this.#stored !== undefined;
  }

  /** Whether the last fetch failed, so that {@link get} may lack the issuer's newest keys. */
  get isFailing(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether the issuer has been failing for so long that its keys must no longer be used. */
  get isExpired(): boolean {
    if (this.#stored === undefined || !this.isFailing) return false;
    return Date.now() >= this.#stored.at + JWKS_STALE_IF_ERROR_MS;
  }

  /**
   * Gets the issuer's JWK Set: by a fetch, from a concurrent request's fetch, or stale while the issuer fails.
   *
   * @throws {IssuerUnavailableError} if the fetch fails and there are no keys to use instead
   */
  async get(url: string, init: RequestInit): Promise<Response> {
    const requestedAt = Date.now();
    while (Date.now() < this.#lockedUntil) {
      if (Date.now() >= requestedAt + JWKS_MAX_WAIT_MS) {
        return this.#staleIfError("timed out waiting for a concurrent fetch of the issuer's keys");
      }
      await scheduler.wait(JWKS_POLL_MS);
    }
    if (this.#stored !== undefined && this.#stored.at >= requestedAt) return new Response(this.#stored.body);
    if (this.#failure !== undefined && Date.now() < this.#failure.at + JWKS_FAILURE_COOLDOWN_MS) {
      return this.#staleIfError(this.#failure.reason);
    }
    this.#lockedUntil = Date.now() + JWKS_LOCK_MS;
    const refreshing = this.#refresh(url, init);
    this.#keepAlive(refreshing.catch(() => {}));
    return refreshing;
  }

  async #refresh(url: string, init: RequestInit): Promise<Response> {
    try {
      const body = await this.#fetchJwks(url, init);
      this.#stored = { body, at: Date.now() };
      this.#failure = undefined;
      return new Response(body);
    } catch (error) {
      const reason = error instanceof IssuerUnavailableError ? error.message : "the issuer is unreachable";
      this.#failure = { reason, at: Date.now() };
      return this.#staleIfError(reason);
    } finally {
      this.#lockedUntil = 0;
    }
  }

  #staleIfError(reason: string): Response {
    if (this.#stored !== undefined && !this.isExpired) return new Response(this.#stored.body);
    throw new IssuerUnavailableError(reason);
  }

  async #fetchJwks(url: string, init: RequestInit): Promise<string> {
    // Replaces jose's signal, whose time limit includes the wait for the lock.
    const response = await this.#fetch(url, { ...init, signal: AbortSignal.timeout(JWKS_TIMEOUT_MS) });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new IssuerUnavailableError(`the issuer's JWKS endpoint responded ${response.status}`);
    }
    const body = await readText(response);
    if (!isUsableJwks(body)) {
      throw new IssuerUnavailableError("the issuer's response is not a JWK Set with at least one key");
    }
    return body;
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > JWKS_MAX_BYTES) throw new IssuerUnavailableError("the issuer's JWK Set is too large");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Asks jose's parser, which reads the set later: a set that jose rejects must not replace valid keys. */
function isUsableJwks(text: string): boolean {
  try {
    const jwks: JSONWebKeySet = JSON.parse(text);
    createLocalJWKSet(jwks);
    return jwks.keys.length > 0;
  } catch {
    return false;
  }
}
