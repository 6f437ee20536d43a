import { requestToken, type TokenResult, type TokenSettings } from "./token-request.ts";

/** Longest time before its expiry at which a token is renewed, in milliseconds. Short-lived ones: a tenth. */
const RENEWAL_MARGIN_MS = 60_000;

interface Entry {
  token: string;
  requestedAt: number;
  expiresAt: number;
}

/**
 * Keeps the access token of one tenant, in memory only. Concurrent callers share one request. The token is bound
 * to everything that produced it, renewed before it expires, and never used afterwards.
 */
export class TokenCache {
  readonly #request: (settings: TokenSettings, now: Date) => Promise<TokenResult>;
  #settings = "";
  #entry: Entry | undefined;
  #pending: Promise<TokenResult> | undefined;

  constructor(request = (settings: TokenSettings, now: Date) => requestToken(settings, now)) {
    this.#request = request;
  }

  /**
   * Gets a token.
   *
   * @param rejected a token that the SMTP server has just rejected: it is not returned again, but a newer one is
   */
  async get(settings: TokenSettings, now: Date, rejected?: string): Promise<TokenResult> {
    const key = JSON.stringify(settings);
    if (key !== this.#settings) {
      this.#settings = key;
      this.#entry = undefined;
      this.#pending = undefined;
    }
    const entry = this.#entry;
    if (entry !== undefined && entry.token !== rejected && isFresh(entry, now)) {
      const { token, expiresAt } = entry;
      return { ok: true, token, expiresAt, cached: true };
    }
    this.#pending ??= this.#refresh(settings, key, now);
    return this.#pending;
  }

  async #refresh(settings: TokenSettings, key: string, now: Date): Promise<TokenResult> {
    try {
      const result = await this.#request(settings, now);
      if (result.ok && key === this.#settings) {
        this.#entry = { token: result.token, requestedAt: now.getTime(), expiresAt: result.expiresAt };
      }
      return result;
    } finally {
      if (key === this.#settings) this.#pending = undefined;
    }
  }
}

function isFresh({ requestedAt, expiresAt }: Entry, now: Date): boolean {
  const margin = Math.min(RENEWAL_MARGIN_MS, (expiresAt - requestedAt) / 10);
  return now.getTime() < expiresAt - margin;
}
