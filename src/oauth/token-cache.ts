import { base64url } from "jose";
import { defined } from "../defined.ts";
import type { ClientSecretMethod, TokenResult, TokenSettings } from "./token-request.ts";

/** Longest time before its expiry at which a token is renewed, in milliseconds. Short-lived ones: a tenth. */
const RENEWAL_MARGIN_MS = 60_000;

interface CachedToken {
  token: string;
  renewAt: number;
  expiresAt: number;
}

/**
 * Keeps the access token of one tenant, in memory only. Concurrent callers share one request, so all of them must
 * belong to one Durable Object: Workers forbids sharing it across requests. The token is bound to everything that
 * produced it, renewed before it expires, and never used afterwards.
 */
export class TokenCache {
  readonly #request: (settings: TokenSettings) => Promise<TokenResult>;
  #fingerprint: string | undefined;
  #cached: CachedToken | undefined;
  #pending: Promise<TokenResult> | undefined;
  /** How the last endpoint took a client secret: it costs a request to find out. */
  #accepted: { url: string; method: ClientSecretMethod | undefined } | undefined;

  constructor(request: (settings: TokenSettings) => Promise<TokenResult>) {
    this.#request = request;
  }

  /**
   * Gets a token.
   *
   * @param rejected a token that the SMTP server has just rejected: it is not returned again, but a newer one is
   */
  async get(settings: TokenSettings, rejected?: string): Promise<TokenResult> {
    const fingerprint = await fingerprintOf(settings);
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint;
      this.#cached = undefined;
      this.#pending = undefined;
    }
    const cached = this.#cached?.token === rejected ? undefined : this.#cached;
    if (cached !== undefined && Date.now() < cached.renewAt) return resultOf(cached);
    this.#pending ??= this.#renew(settings);
    const result = await this.#pending;
    // The endpoint may be back before the token expires.
    const isUnreachable = !result.ok && result.failure.kind === "unreachable";
    return isUnreachable && cached !== undefined && Date.now() < cached.expiresAt ? resultOf(cached) : result;
  }

  #renew(settings: TokenSettings): Promise<TokenResult> {
    const requestedAt = Date.now();
    const { url } = settings;
    const method = this.#accepted?.url === url ? this.#accepted.method : undefined;
    const pending = this.#request({ ...settings, ...defined({ method }) })
      .then((result) => {
        if (result.ok) this.#accepted = { url, method: result.method };
        // Settings that have changed meanwhile have their own token.
        if (result.ok && this.#pending === pending) this.#cached = toCached(result, requestedAt);
        return result;
      })
      .finally(() => {
        if (this.#pending === pending) this.#pending = undefined;
      });
    return pending;
  }
}

function toCached({ token, expiresAt }: TokenResult & { ok: true }, requestedAt: number): CachedToken {
  const margin = Math.min(RENEWAL_MARGIN_MS, (expiresAt - requestedAt) / 10);
  return { token, expiresAt, renewAt: expiresAt - margin };
}

function resultOf({ token, expiresAt }: CachedToken): TokenResult {
  return { ok: true, token, expiresAt, cached: true };
}

/** A hash, so that no secret stays in memory for the cache's sake. */
async function fingerprintOf(settings: TokenSettings): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(settings));
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
