import { waitUntil } from "cloudflare:workers";
import { errors, type JWTVerifyGetKey } from "jose";
import { JwksCache, type JwksFetch } from "./jwks-cache.ts";
import type { KeepAlive } from "./shared-fetch.ts";

/** Minimum time between two fetches for an unknown `kid`, in milliseconds. */
export const JWKS_UNKNOWN_KID_COOLDOWN_MS = 30_000;

/** Issuers cached per isolate. Each takes about 10 KiB of the isolate's 128 MiB. */
export const JWKS_CACHE_MAX_ISSUERS = 500;

/** Signing keys of many issuers, cached in the isolate with least-recently-used eviction. */
export class IssuerKeys {
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  readonly #caches = new Map<string, JwksCache>();

  /** Uses the runtime's `fetch` and `waitUntil` by default. */
  constructor(
    fetch: JwksFetch = (url, init) => globalThis.fetch(url, init),
    keepAlive: KeepAlive = (work) => waitUntil(work),
  ) {
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /**
   * Returns a key resolver, as jose's `jwtVerify` takes it, for the JWK Set at `jwksUri`.
   *
   * @returns a function that throws {@link IssuerUnavailableError} if the keys are unavailable,
   * {@link TokenError} if the issuer has none, and `JWKSNoMatchingKey` if they lack the token's key
   */
  at(jwksUri: string): JWTVerifyGetKey {
    const cache = this.#caches.get(jwksUri) ?? this.#create(jwksUri);
    this.#caches.delete(jwksUri);
    this.#caches.set(jwksUri, cache);
    return async (header, token) => {
      const keys = await cache.getFreshOrStale();
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // The issuer may have created the key since its last response.
        const newest = await cache.get(JWKS_UNKNOWN_KID_COOLDOWN_MS);
        return newest(header, token);
      }
    };
  }

  #create(jwksUri: string): JwksCache {
    if (this.#caches.size >= JWKS_CACHE_MAX_ISSUERS) this.#evict();
    return new JwksCache(jwksUri, this.#fetch, this.#keepAlive);
  }

  // Forged tokens for invented tenants add issuers that do not exist. Evicting these first keeps such tokens
  // from pushing out the keys of real tenants.
  #evict(): void {
    const [oldest] = this.#caches.keys();
    const keyless = this.#caches.entries().find(([, cache]) => !cache.hasKeys);
    this.#caches.delete(keyless?.[0] ?? oldest ?? "");
  }
}
