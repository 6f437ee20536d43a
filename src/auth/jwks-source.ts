import { createLocalJWKSet } from "jose";
import { RefusedError } from "../errors.ts";
import {
  JWKS_CLAIM_MS,
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_MAX_BYTES,
  JWKS_PATIENCE_MS,
  JWKS_POLL_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_TIMEOUT_MS,
} from "../limits.ts";

/** The part of `fetch` that jose calls to have a JWK Set. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Lets work go on when the request that began it is cancelled: the runtime's `waitUntil`. */
export type KeepAlive = (work: Promise<unknown>) => void;

/**
 * Stands between jose and one issuer's address, and keeps three things off it: a fetch for each of many
 * concurrent requests, a fetch a request while it is down, and the loss of good keys because it is down.
 *
 * Requests that come while a fetch is under way wait for its outcome by looking at plain state: Workers
 * forbids awaiting another request's promise. The fetch outlives a request that is cancelled; should it never
 * report all the same, its claim runs out by time.
 */
export class JwksSource {
  readonly #fetch: JwksFetch;
  readonly #keepAlive: KeepAlive;
  #good: { body: string; at: number } | undefined;
  #failure: { reason: string; at: number } | undefined;
  #claimedUntil = 0;

  constructor(fetch: JwksFetch, keepAlive: KeepAlive) {
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /** Whether the issuer has ever answered with keys. */
  get hasKeys(): boolean {
    return this.#good !== undefined;
  }

  /** Whether the issuer has failed for so long that its last good keys must not be used any more. */
  get isOverdue(): boolean {
    return this.isFailing && this.#good !== undefined && Date.now() >= this.#good.at + JWKS_STALE_IF_ERROR_MS;
  }

  /** Whether the last try failed, so that what {@link get} gives may lack the issuer's newest keys. */
  get isFailing(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * The issuer's keys: fetched, as another request has just fetched them, or the last good ones.
   *
   * @throws {RefusedError} `issuer_unavailable`
   */
  async get(url: string, init: RequestInit): Promise<Response> {
    const askedAt = Date.now();
    const patience = askedAt + JWKS_PATIENCE_MS;
    while (Date.now() < this.#claimedUntil) {
      if (Date.now() >= patience) return this.#lastGood("another request's fetch does not end");
      await scheduler.wait(JWKS_POLL_MS);
    }
    if (this.#good !== undefined && this.#good.at >= askedAt) return new Response(this.#good.body);
    if (this.#failure !== undefined && Date.now() < this.#failure.at + JWKS_FAILURE_COOLDOWN_MS) {
      return this.#lastGood(this.#failure.reason);
    }
    this.#claimedUntil = Date.now() + JWKS_CLAIM_MS;
    const refreshing = this.#refresh(url, init);
    this.#keepAlive(refreshing.catch(() => {}));
    return refreshing;
  }

  async #refresh(url: string, init: RequestInit): Promise<Response> {
    try {
      const body = await this.#fetchKeys(url, init);
      this.#good = { body, at: Date.now() };
      this.#failure = undefined;
      return new Response(body);
    } catch (error) {
      const reason = error instanceof JwksError ? error.message : "the issuer cannot be reached";
      this.#failure = { reason, at: Date.now() };
      return this.#lastGood(reason);
    } finally {
      this.#claimedUntil = 0;
    }
  }

  #lastGood(reason: string): Response {
    if (this.#good !== undefined && !this.isOverdue) return new Response(this.#good.body);
    throw new RefusedError({ kind: "issuer_unavailable", reason });
  }

  async #fetchKeys(url: string, init: RequestInit): Promise<string> {
    // A signal of our own: jose's began to run before the wait above.
    const response = await this.#fetch(url, { ...init, signal: AbortSignal.timeout(JWKS_TIMEOUT_MS) });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new JwksError(`the issuer's keys answered ${response.status}`);
    }
    const body = await readText(response);
    requireJwks(body);
    return body;
  }
}

class JwksError extends Error {}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > JWKS_MAX_BYTES) throw new JwksError("the issuer's keys are too large");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** By the parser that will use it: what only looks like a JWK Set would take the place of good keys. */
function requireJwks(text: string): void {
  try {
    const jwks = JSON.parse(text);
    createLocalJWKSet(jwks);
    if (jwks.keys.length > 0) return;
  } catch {
    // Told below, like an empty set.
  }
  throw new JwksError("the issuer's keys are not a JWK Set");
}
