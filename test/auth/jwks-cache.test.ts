import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_MAX_AGE_MS,
  JWKS_MAX_BYTES,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_TIMEOUT_MS,
  JwksCache,
  type JwksFetch,
} from "../../src/auth/jwks-cache.ts";
import { LOCK_MARGIN_MS, POLL_MS } from "../../src/auth/shared-fetch.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";

/** When a fetch that never settles is presumed lost. */
const LOCK_MS = JWKS_TIMEOUT_MS + LOCK_MARGIN_MS;

const JWKS_URI = "https://issuer.test/certs";
const JWKS = JSON.stringify({ keys: [{ kty: "EC", kid: "one" }] });
const UNREACHABLE = "the issuer is unreachable";
const TIMED_OUT = "timed out waiting for the issuer's keys";

beforeEach(() => {
  advanceClock(0);
  // Polls without real waiting.
  vi.spyOn(scheduler, "wait").mockImplementation(() => new Promise((resolve) => setTimeout(resolve)));
});

afterEach(() => {
  restoreClock();
  vi.restoreAllMocks();
});

describe("a fetch", () => {
  it("follows no redirect, and returns the JWK Set", async () => {
    const { cache, fetch } = cacheWith(respond(JWKS));
    expect(await kidOf(cache)).toBe("one");
    expect(fetch).toHaveBeenCalledExactlyOnceWith(JWKS_URI, {
      headers: { Accept: "application/json, application/jwk-set+json", "User-Agent": "tenant-mail" },
      redirect: "manual",
      signal: expect.any(AbortSignal),
    });
    expect(cache.hasKeys).toBe(true);
  });

  it("aborts at its time limit", async () => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(limit.signal);
    const { cache } = cacheWith(untilAborted);
    const outcome = expectUnavailable(get(cache), UNREACHABLE);
    limit.abort(new DOMException("too slow", "TimeoutError"));
    await outcome;
    expect(timeout).toHaveBeenCalledExactlyOnceWith(JWKS_TIMEOUT_MS);
  });

  it("fails if the body breaks off", async () => {
    const { cache } = cacheWith(async () => new Response(brokenBody()));
    await expectUnavailable(get(cache), UNREACHABLE);
  });

  it("stops reading an endless body", async () => {
    let [pulled, canceled] = [0, false];
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(16 * 1024));
      },
      cancel() {
        canceled = true;
      },
    });
    const { cache } = cacheWith(async () => new Response(endless));
    await expectUnavailable(get(cache), "the issuer's JWK Set is too large");
    expect(pulled).toBeLessThan((JWKS_MAX_BYTES / (16 * 1024)) * 2);
    expect(canceled).toBe(true);
  });

  it("accepts a body of the maximum size", async () => {
    const largest = JWKS.padEnd(JWKS_MAX_BYTES, " ");
    expect(await kidOf(cacheWith(respond(largest)).cache)).toBe("one");
  });

  it("limits bytes, not characters", async () => {
    const large = JSON.stringify({ keys: [], x: "ä".repeat(JWKS_MAX_BYTES / 2) });
    await expectUnavailable(get(cacheWith(respond(large)).cache), "the issuer's JWK Set is too large");
  });

  it.each([
    "",
    "{}",
    "null",
    "[]",
    "42",
    '{"keys":{}}',
    '{"keys":[null]}',
    '{"keys":["k"]}',
    '{"keys":[[]]}',
    "<html>",
  ])("rejects the body %j", async (body) => {
    const { cache } = cacheWith(respond(body));
    await expectUnavailable(get(cache), "the issuer's response is not a JWK Set");
    expect(cache.hasKeys).toBe(false);
  });

  it.each([201, 204, 301, 302, 304, 400, 401, 429, 500, 503])("rejects status %i", async (status) => {
    const body = [204, 304].includes(status) ? null : JWKS;
    const { cache } = cacheWith(async () => new Response(body, { status }));
    await expectUnavailable(get(cache), `the issuer's JWKS endpoint responded ${status}`);
  });
});

describe("concurrent requests", () => {
  it("share a fetch that succeeds", async () => {
    const { cache, fetch, settle } = pendingCache();
    const kids = Promise.all(Array.from({ length: 20 }, () => kidOf(cache)));
    settle(new Response(JWKS));
    expect(new Set(await kids)).toEqual(new Set(["one"]));
    expect(fetch).toHaveBeenCalledOnce();
    expect(scheduler.wait).toHaveBeenCalledWith(POLL_MS);
  });

  it("share a fetch that fails", async () => {
    const { cache, fetch, settle } = pendingCache();
    const outcomes = Promise.allSettled(Array.from({ length: 20 }, () => get(cache)));
    settle(new TypeError("connection refused"));
    expect((await outcomes).filter(({ status }) => status === "rejected")).toHaveLength(20);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("share a fetch that lasts until its time limit", async () => {
    const { cache, fetch, settle } = pendingCache();
    const outcomes = Promise.allSettled([get(cache), get(cache), get(cache)]);
    advanceClock(JWKS_TIMEOUT_MS);
    await polls(5);
    settle(new DOMException("too slow", "TimeoutError"));
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("fetch again when the lock of a canceled request expires", async () => {
    const { cache, fetch } = cacheWith(neverSettle, respond(JWKS));
    get(cache).catch(() => {});
    const waiting = Promise.all([kidOf(cache), kidOf(cache), kidOf(cache)]);
    advanceClock(LOCK_MS);
    expect(await waiting).toEqual(["one", "one", "one"]);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("stop waiting at the limit if one request after another is canceled", async () => {
    const { cache } = cacheWith(neverSettle);
    get(cache).catch(() => {});
    const rejected = expectUnavailable(get(cache), TIMED_OUT);
    advanceClock(LOCK_MS);
    get(cache).catch(() => {});
    advanceClock(2 * LOCK_MS - LOCK_MS);
    get(cache).catch(() => {});
    await rejected;
  });

  it("keep a fetch alive after its request is canceled", async () => {
    const kept: Promise<unknown>[] = [];
    const cache = new JwksCache(JWKS_URI, respond(JWKS), (work) => kept.push(work));
    expect(await kidOf(cache)).toBe("one");
    expect(kept).toHaveLength(1);
  });
});

describe("a failing issuer", () => {
  it("gets no fetch during the cooldown", async () => {
    const { cache, fetch } = cacheWith(fail, respond(JWKS));
    await expectUnavailable(get(cache), UNREACHABLE);
    advanceClock(JWKS_FAILURE_COOLDOWN_MS - 1);
    await expectUnavailable(get(cache), UNREACHABLE);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("recovers at the first fetch after the cooldown", async () => {
    const { cache } = cacheWith(fail, respond(JWKS));
    await expectUnavailable(get(cache), UNREACHABLE);
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    expect(await kidOf(cache)).toBe("one");
    expect(cache.hasKeys).toBe(true);
  });

  it("keeps its last valid keys in use, with one fetch per cooldown", async () => {
    const { cache, fetch } = cacheWith(respond(JWKS), fail);
    await get(cache);
    advanceClock(JWKS_MAX_AGE_MS);
    expect([await kidOf(cache), await kidOf(cache)]).toEqual(["one", "one"]);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(cache.hasKeys).toBe(true);
  });

  it("loses its last valid keys after the stale-if-error time", async () => {
    const { cache } = cacheWith(respond(JWKS), fail, fail);
    await get(cache);
    advanceClock(JWKS_STALE_IF_ERROR_MS - 1);
    expect(await kidOf(cache)).toBe("one");
    advanceClock(1);
    await expectUnavailable(get(cache), UNREACHABLE);
  });

  it("keeps its last valid keys in use if it responds with an invalid body", async () => {
    const { cache } = cacheWith(respond(JWKS), respond("<html>"));
    await get(cache);
    advanceClock(JWKS_MAX_AGE_MS);
    expect(await kidOf(cache)).toBe("one");
  });
});

/** A cache that uses the first of `fetches` for its first fetch, and so on, and the last one from then on. */
function cacheWith(...fetches: [JwksFetch, ...JwksFetch[]]) {
  const [first, ...others] = fetches;
  const fetch = vi.fn<JwksFetch>(others.at(-1) ?? first);
  for (const each of fetches) fetch.mockImplementationOnce(each);
  return { cache: new JwksCache(JWKS_URI, fetch, () => {}), fetch };
}

/** A cache whose first fetch is pending until `settle`. */
function pendingCache() {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const settle = (outcome: Response | Error) =>
    outcome instanceof Response ? resolve(outcome) : reject(outcome);
  return { ...cacheWith(() => promise, respond(JWKS)), settle };
}

async function polls(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await scheduler.wait(POLL_MS);
}

function get(cache: JwksCache) {
  return cache.getFreshOrStale();
}

/** The key that the cache's JWK Set holds, by its kid. */
async function kidOf(cache: JwksCache): Promise<string | undefined> {
  const keys = await get(cache);
  return keys.jwks().keys[0]?.kid;
}

async function expectUnavailable(outcome: Promise<unknown>, reason: string): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ name: "IssuerUnavailableError", message: reason });
}

function respond(body: string): JwksFetch {
  return async () => new Response(body);
}

async function fail(): Promise<never> {
  throw new TypeError("connection refused");
}

function neverSettle(): Promise<never> {
  return new Promise(() => {});
}

function untilAborted(_: string, { signal }: RequestInit): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

function brokenBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"keys":['));
      controller.error(new Error("aborted"));
    },
  });
}
