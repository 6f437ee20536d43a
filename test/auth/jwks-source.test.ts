import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type JwksFetch, JwksSource } from "../../src/auth/jwks-source.ts";
import {
  JWKS_CLAIM_MS,
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_MAX_BYTES,
  JWKS_PATIENCE_MS,
  JWKS_POLL_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_TIMEOUT_MS,
} from "../../src/limits.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";

const CERTS = "https://issuer.test/certs";
const KEYS = JSON.stringify({ keys: [{ kty: "EC", kid: "one" }] });

beforeEach(() => advanceClock(0));
afterEach(restoreClock);

describe("one fetch", () => {
  it("is a GET that follows no redirect, and hands the keys on", async () => {
    const { source, fetch } = sourceOf(answering(KEYS));
    expect(await text(source)).toBe(KEYS);
    expect(fetch).toHaveBeenCalledExactlyOnceWith(CERTS, expect.objectContaining({ redirect: "manual" }));
    expect(source).toMatchObject({ hasKeys: true, isFailing: false });
  });

  it("is given up after the time limit", async () => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(limit.signal);
    const { source } = sourceOf(untilAborted);
    const outcome = expectUnavailable(text(source), "the issuer cannot be reached");
    limit.abort(new DOMException("too slow", "TimeoutError"));
    await outcome;
    expect(timeout).toHaveBeenCalledExactlyOnceWith(JWKS_TIMEOUT_MS);
    timeout.mockRestore();
  });

  it("is given up when the body does not end in time", async () => {
    const { source } = sourceOf(async () => new Response(failingBody(new Error("aborted"))));
    await expectUnavailable(text(source), "the issuer cannot be reached");
  });

  it("stops reading a body that does not end", async () => {
    let [pulled, cancelled] = [0, false];
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(16 * 1024));
      },
      cancel() {
        cancelled = true;
      },
    });
    const { source } = sourceOf(async () => new Response(endless));
    await expectUnavailable(text(source), "the issuer's keys are too large");
    expect(pulled).toBeLessThan((JWKS_MAX_BYTES / (16 * 1024)) * 2);
    expect(cancelled).toBe(true);
  });

  it("takes a body of exactly the largest size", async () => {
    const largest = KEYS.padEnd(JWKS_MAX_BYTES, " ");
    expect(await text(sourceOf(answering(largest)).source)).toBe(largest);
  });

  it("counts bytes, not characters", async () => {
    const large = JSON.stringify({ keys: [], x: "ä".repeat(JWKS_MAX_BYTES / 2) });
    await expectUnavailable(text(sourceOf(answering(large)).source), "the issuer's keys are too large");
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
  ])("does not take %j for keys", async (body) => {
    const { source } = sourceOf(answering(body));
    await expectUnavailable(text(source), "the issuer's keys are not a JWK Set");
    expect(source).toMatchObject({ hasKeys: false, isFailing: true });
  });

  it.each([201, 204, 301, 302, 304, 400, 401, 404, 429, 500, 503])(
    "does not take keys from an answer of %i",
    async (status) => {
      const body = [204, 304].includes(status) ? null : KEYS;
      const { source } = sourceOf(async () => new Response(body, { status }));
      await expectUnavailable(text(source), `the issuer's keys answered ${status}`);
    },
  );
});

describe("many at once", () => {
  it("share one fetch that succeeds", async () => {
    const { source, fetch } = sourceOf(afterAMoment(answering(KEYS)));
    const bodies = await Promise.all(Array.from({ length: 20 }, () => text(source)));
    expect(new Set(bodies)).toEqual(new Set([KEYS]));
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("share one fetch that fails", async () => {
    const { source, fetch } = sourceOf(afterAMoment(down));
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => text(source)));
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(20);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("are not blocked for ever by a request that was cancelled while it fetched", async () => {
    const { source, fetch } = sourceOf(never, answering(KEYS));
    void source.get(CERTS, {});
    const waiting = Promise.all([text(source), text(source), text(source)]);
    advanceClock(JWKS_CLAIM_MS);
    expect(await waiting).toEqual([KEYS, KEYS, KEYS]);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("make one fetch though it lasts until it is aborted", async () => {
    const { promise, reject } = Promise.withResolvers<Response>();
    const { source, fetch } = sourceOf(() => promise, answering(KEYS));
    const outcomes = Promise.allSettled([text(source), text(source), text(source)]);
    advanceClock(JWKS_TIMEOUT_MS);
    await scheduler.wait(5 * JWKS_POLL_MS);
    reject(new DOMException("too slow", "TimeoutError"));
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("do not wait for ever for requests that are cancelled one after the other", async () => {
    const { source } = sourceOf(never);
    void source.get(CERTS, {});
    const refused = expectUnavailable(text(source), "another request's fetch does not end");
    advanceClock(JWKS_CLAIM_MS);
    void source.get(CERTS, {});
    advanceClock(JWKS_PATIENCE_MS - JWKS_CLAIM_MS);
    void source.get(CERTS, {});
    await refused;
  });

  it("fetch in a way that outlives the request", async () => {
    const kept: Promise<unknown>[] = [];
    const source = new JwksSource(answering(KEYS), (work) => kept.push(work));
    expect(await text(source)).toBe(KEYS);
    expect(kept).toHaveLength(1);
  });
});

describe("an issuer that fails", () => {
  it("is left alone for the cooldown", async () => {
    const { source, fetch } = sourceOf(down, answering(KEYS));
    await expectUnavailable(text(source), "the issuer cannot be reached");
    advanceClock(JWKS_FAILURE_COOLDOWN_MS - 1);
    await expectUnavailable(text(source), "the issuer cannot be reached");
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("is asked again after the cooldown, and is well then", async () => {
    const { source } = sourceOf(down, answering(KEYS));
    await expectUnavailable(text(source), "the issuer cannot be reached");
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    expect(await text(source)).toBe(KEYS);
    expect(source).toMatchObject({ hasKeys: true, isFailing: false });
  });

  it("does not cost its last good keys, nor a fetch for each time they are used", async () => {
    const { source, fetch } = sourceOf(answering(KEYS), down);
    await text(source);
    advanceClock(1);
    expect([await text(source), await text(source)]).toEqual([KEYS, KEYS]);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(source).toMatchObject({ hasKeys: true, isFailing: true });
  });

  it("does not lend its last good keys for longer than the bound", async () => {
    const { source } = sourceOf(answering(KEYS), down, down);
    await text(source);
    advanceClock(JWKS_STALE_IF_ERROR_MS - 1);
    expect(await text(source)).toBe(KEYS);
    advanceClock(1);
    await expectUnavailable(text(source), "the issuer cannot be reached");
  });

  it("may make good with rubbish after good keys no more than with silence", async () => {
    const { source } = sourceOf(answering(KEYS), answering("<html>"));
    await text(source);
    advanceClock(1);
    expect(await text(source)).toBe(KEYS);
    expect(source.isFailing).toBe(true);
  });
});

/** A source whose first fetch is done by the first of `fetches`, and so on; the last one does the rest. */
function sourceOf(...fetches: [JwksFetch, ...JwksFetch[]]) {
  const [first, ...others] = fetches;
  const fetch = vi.fn<JwksFetch>(others.at(-1) ?? first);
  for (const each of fetches) fetch.mockImplementationOnce(each);
  return { source: new JwksSource(fetch, () => {}), fetch };
}

async function text(source: JwksSource): Promise<string> {
  return (await source.get(CERTS, { method: "GET", redirect: "manual" })).text();
}

async function expectUnavailable(outcome: Promise<unknown>, reason: string): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ refusal: { kind: "issuer_unavailable", reason } });
}

function answering(body: string): JwksFetch {
  return async () => new Response(body);
}

function afterAMoment(then: JwksFetch): JwksFetch {
  return async (url, init) => {
    await scheduler.wait(30);
    return then(url, init);
  };
}

async function down(): Promise<never> {
  throw new TypeError("connection refused");
}

function never(): Promise<never> {
  return new Promise(() => {});
}

function untilAborted(_: string, { signal }: RequestInit): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

function failingBody(error: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"keys":['));
      controller.error(error);
    },
  });
}
