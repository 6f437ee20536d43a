import { RefusedError } from "../errors.ts";
import {
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_MAX_BYTES,
  JWKS_POLL_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_TIMEOUT_MS,
} from "../limits.ts";

/** The part of `fetch` that jose calls to have a JWK Set. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Stands between jose and one issuer's address, and keeps three things off it: a fetch for each of many
 * concurrent requests, a fetch a request while it is down, and the loss of good keys because it is down.
 *
 * Requests that come while a fetch is under way wait for its outcome by looking at plain state: Workers
 * forbids awaiting another request's promise. If the fetching request is cancelled, it never reports; so
 * its claim runs out by time.
 */
export class JwksSource {
  readonly #fetch: JwksFetch;
  #good: { body: string; at: number } | undefined;
  #failure: { reason: string; at: number } | undefined;
  #claimedUntil = 0;

  constructor(fetch: JwksFetch) {
    this.#fetch = fetch;
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
    while (Date.now() < this.#claimedUntil) await scheduler.wait(JWKS_POLL_MS);
    if (this.#good !== undefined && this.#good.at >= askedAt) return new Response(this.#good.body);
    if (this.#failure !== undefined && Date.now() < this.#failure.at + JWKS_FAILURE_COOLDOWN_MS) {
      return this.#lastGood(this.#failure.reason);
    }
    this.#claimedUntil = Date.now() + JWKS_TIMEOUT_MS;
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
    if (!isJwks(body)) throw new JwksError("the issuer's keys are not a JWK Set");
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

function isJwks(text: string): boolean {
  try {
    const { keys } = JSON.parse(text);
    return Array.isArray(keys) && keys.every((key) => typeof key === "object" && key !== null);
  } catch {
    return false;
  }
}
