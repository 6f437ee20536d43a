import { waitUntil } from "cloudflare:workers";
import { errors, type JWTVerifyGetKey } from "jose";
import { IssuerUnavailableError } from "./errors.ts";
import { JwksCache, type JwksFetch } from "./jwks-cache.ts";
import type { KeepAlive } from "./shared-fetch.ts";

/** Minimum time between two fetches for an unknown `kid`, in milliseconds. */
export const JWKS_UNKNOWN_KID_COOLDOWN_MS = 30_000;

/** Issuers cached per isolate. Each takes about 10 KiB of the isolate's 128 MiB. */
export const JWKS_CACHE_MAX_ISSUERS = 500;

/** Kids remembered per issuer, the most recent ones. Issuers rarely publish more than a few keys. */
const MAX_SEEN_KIDS = 20;

/** Longest `kid` that is remembered. Keycloak's have 43 characters. */
const KID_MAX_CHARACTERS = 255;

/** An issuer as the cache knows it. */
interface Cached {
  jwks: JwksCache;
  /** When each `kid` was first seen, the oldest first. */
  seenKids: Map<string, number>;
}

/** Signing keys of many issuers, cached in the isolate with least-recently-used eviction. */
export class IssuerKeys {
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  readonly #caches = new Map<string, Cached>();

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
   * @returns a function that throws {@link IssuerUnavailableError} if the keys are unavailable, or do not have the
   * token's key and may not be fetched yet, {@link TokenError} if the issuer has none, and `JWKSNoMatchingKey` if they
   * lack the token's key
   */
  at(jwksUri: string): JWTVerifyGetKey {
    const cache = this.#caches.get(jwksUri) ?? this.#create(jwksUri);
    this.#caches.delete(jwksUri);
    this.#caches.set(jwksUri, cache);
    return async (header, token) => {
      const firstSeenAt = remember(cache.seenKids, header.kid ?? "");
      const keys = await cache.jwks.getFreshOrStale();
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // The issuer may have created the key since its last response.
        const newest = await cache.jwks.get(JWKS_UNKNOWN_KID_COOLDOWN_MS);
        return await newest(header, token).catch((missing: unknown) => {
          const { latestFetch } = cache.jwks;
          // Only a fetch that has looked for the key shows that there is none.
          if (latestFetch === undefined || latestFetch.startedAt >= firstSeenAt) throw missing;
          throw new IssuerUnavailableError(
            "the kid is unknown, and the issuer's keys were fetched a moment ago",
            latestFetch.at + JWKS_UNKNOWN_KID_COOLDOWN_MS,
          );
        });
      }
    };
  }

  #create(jwksUri: string): Cached {
    if (this.#caches.size >= JWKS_CACHE_MAX_ISSUERS) this.#evict();
    return { jwks: new JwksCache(jwksUri, this.#fetch, this.#keepAlive), seenKids: new Map() };
  }

  // Forged tokens for invented tenants add issuers that do not exist. Evicting these first keeps such tokens
  // from pushing out the keys of real tenants.
  #evict(): void {
    const [oldest] = this.#caches.keys();
    const keyless = this.#caches.entries().find(([, { jwks }]) => !jwks.hasKeys);
    this.#caches.delete(keyless?.[0] ?? oldest ?? "");
  }
}

/** @returns when the `kid` was first seen. One too long for an issuer's, which would take memory, counts as old */
function remember(seenKids: Map<string, number>, kid: string): number {
  if (kid.length > KID_MAX_CHARACTERS) return 0;
  const known = seenKids.get(kid);
  if (known !== undefined) return known;
  const [oldest] = seenKids.keys();
  if (seenKids.size >= MAX_SEEN_KIDS && oldest !== undefined) seenKids.delete(oldest);
  const now = Date.now();
  seenKids.set(kid, now);
  return now;
}
