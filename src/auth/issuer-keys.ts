import { waitUntil } from "cloudflare:workers";
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import { RefusedError } from "../errors.ts";
import { JWKS_CACHED_ISSUERS, JWKS_FRESH_MS, JWKS_UNKNOWN_KID_COOLDOWN_MS } from "../limits.ts";
import { type JwksFetch, JwksSource, type KeepAlive } from "./jwks-source.ts";

interface Issuer {
  source: JwksSource;
  getKey: ReturnType<typeof createRemoteJWKSet>;
}

/** The keys of many issuers, kept in the isolate: the least recently used ones make room for new ones. */
export class IssuerKeys {
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  readonly #issuers = new Map<string, Issuer>();

  /** The runtime's own `fetch` and `waitUntil` are used unless others are given. */
  constructor(
    fetch: JwksFetch = (url, init) => globalThis.fetch(url, init),
    keepAlive: KeepAlive = (work) => waitUntil(work),
  ) {
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /**
   * Finds the key of a token among those at `jwksUri`.
   *
   * @returns a key finder for jose, which throws `RefusedError` `issuer_unavailable` where the keys cannot
   * be had, and `JWKSNoMatchingKey` where they can and lack the token's
   */
  at(jwksUri: string): JWTVerifyGetKey {
    const issuer = this.#issuers.get(jwksUri) ?? this.#create(jwksUri);
    this.#issuers.delete(jwksUri);
    this.#issuers.set(jwksUri, issuer);
    return async (header, token) => {
      try {
        // jose takes last known keys for fresh ones, and would use them for longer than they are lent.
        if (issuer.source.isOverdue) await issuer.getKey.reload();
        return await issuer.getKey(header, token);
      } catch (error) {
        // The missing key may be one that the issuer has made since it was last reached.
        if (error instanceof errors.JWKSNoMatchingKey && issuer.source.isFailing) {
          throw new RefusedError({
            kind: "issuer_unavailable",
            reason: "no key of this kid among the last known",
          });
        }
        throw error;
      }
    };
  }

  #create(jwksUri: string): Issuer {
    if (this.#issuers.size >= JWKS_CACHED_ISSUERS) this.#evict();
    const source = new JwksSource(this.#fetch, this.#keepAlive);
    const getKey = createRemoteJWKSet(new URL(jwksUri), {
      [customFetch]: (url, init) => source.get(url, init),
      cacheMaxAge: JWKS_FRESH_MS,
      cooldownDuration: JWKS_UNKNOWN_KID_COOLDOWN_MS,
    });
    return { source, getKey };
  }

  // Forged tokens for made-up tenants reach issuers that do not exist: those go first, or a flood of them
  // would push the keys of real tenants out.
  #evict(): void {
    const [oldest] = this.#issuers.keys();
    const keyless = this.#issuers.entries().find(([, { source }]) => !source.hasKeys);
    this.#issuers.delete(keyless?.[0] ?? oldest ?? "");
  }
}
