import { waitUntil } from "cloudflare:workers";
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import { IssuerUnavailableError } from "./errors.ts";
import { JwksCache, type JwksFetch, type KeepAlive } from "./jwks-cache.ts";
import { JWKS_CACHE_MAX_ISSUERS, JWKS_MAX_AGE_MS, JWKS_UNKNOWN_KID_COOLDOWN_MS } from "./limits.ts";

interface Issuer {
  cache: JwksCache;
  getKey: ReturnType<typeof createRemoteJWKSet>;
}

/** Signing keys of many issuers, cached in the isolate with least-recently-used eviction. */
export class IssuerKeys {
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  readonly #issuers = new Map<string, Issuer>();

  /** Uses the runtime's `fetch` and `waitUntil` by default. */
  constructor(
    fetch: JwksFetch = (url, init) => globalThis.fetch(url, init),
    keepAlive: KeepAlive = (work) => waitUntil(work),
  ) {
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /**
   * Returns jose's key resolver for the JWK Set at `jwksUri`.
   *
   * @returns a function that throws {@link IssuerUnavailableError} if the keys are unavailable, and
   * `JWKSNoMatchingKey` if they are available but lack the token's key
   */
  at(jwksUri: string): JWTVerifyGetKey {
    const issuer = this.#issuers.get(jwksUri) ?? this.#create(jwksUri);
    this.#issuers.delete(jwksUri);
    this.#issuers.set(jwksUri, issuer);
    return async (header, token) => {
      try {
        // jose counts a stale JWK Set as fresh for another maximum age, which would exceed stale-if-error.
        if (issuer.cache.isExpired) await issuer.getKey.reload();
        return await issuer.getKey(header, token);
      } catch (error) {
        // The issuer may have created the missing key since its last response.
        if (error instanceof errors.JWKSNoMatchingKey && issuer.cache.isFailing) {
          throw new IssuerUnavailableError("the issuer fails, and its cached keys lack the token's key");
        }
        throw error;
      }
    };
  }

  #create(jwksUri: string): Issuer {
    if (this.#issuers.size >= JWKS_CACHE_MAX_ISSUERS) this.#evict();
    const cache = new JwksCache(this.#fetch, this.#keepAlive);
    const getKey = createRemoteJWKSet(new URL(jwksUri), {
      [customFetch]: (url, init) => cache.get(url, init),
      cacheMaxAge: JWKS_MAX_AGE_MS,
      cooldownDuration: JWKS_UNKNOWN_KID_COOLDOWN_MS,
    });
    return { cache, getKey };
  }

  // Forged tokens for invented tenants add issuers that do not exist. Evicting these first keeps such tokens
  // from pushing out the keys of real tenants.
  #evict(): void {
    const [oldest] = this.#issuers.keys();
    const keyless = this.#issuers.entries().find(([, { cache }]) => !cache.hasKeys);
    this.#issuers.delete(keyless?.[0] ?? oldest ?? "");
  }
}
