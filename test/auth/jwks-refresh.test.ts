import type { CompactJWSHeaderParameters } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IssuerKeys } from "../../src/auth/issuer-keys.ts";
import type { JwksFetch } from "../../src/auth/jwks-cache.ts";
import {
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_MAX_AGE_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_STALE_MAX_WAIT_MS,
  JWKS_TIMEOUT_MS,
} from "../../src/auth/jwks-cache.ts";
import { LOCK_MARGIN_MS, POLL_MS } from "../../src/auth/shared-fetch.ts";
import { call } from "../support/client.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { captureLog } from "../support/log.ts";

/** When a fetch that never settles is presumed lost. */
const LOCK_MS = JWKS_TIMEOUT_MS + LOCK_MARGIN_MS;

const JWKS_URI = "https://issuer.test/certs";
const MISSING = { code: "ERR_JWKS_NO_MATCHING_KEY" };

/** Waits that `pass` ends. */
let waits: { until: number; end: () => void }[] = [];

beforeEach(() => {
  advanceClock(0);
  waits = [];
  vi.spyOn(scheduler, "wait").mockImplementation(
    (milliseconds) =>
      new Promise((end) => {
        waits.push({ until: Date.now() + milliseconds, end });
      }),
  );
});

afterEach(() => {
  vi.restoreAllMocks();
  restoreClock();
});

describe("after a failed refresh", () => {
  it("a revoked key is rejected as soon as the issuer may be asked again", async () => {
    const { find, publish, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
    publish("two");
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    await expect(find("one")).rejects.toMatchObject(MISSING);
  });

  it("stale keys cost one fetch per cooldown, and never count as fresh", async () => {
    const { find, fetch, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS);
    for (let refreshes = 1; refreshes <= 5; refreshes += 1) {
      await passUntil(Promise.all([find("one"), find("one"), find("one")]));
      expect(fetch).toHaveBeenCalledTimes(1 + refreshes);
      advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    }
  });

  it("fresh keys stay fresh if the refresh was for an unknown kid", async () => {
    const { find, fetch, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS - JWKS_FAILURE_COOLDOWN_MS - 1);
    await expect(find("two")).rejects.toMatchObject({ name: "IssuerUnavailableError" });
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    await find("one");
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});

describe("while a refresh hangs", () => {
  it("requests use the known keys after the maximum wait, having asked the issuer", async () => {
    const { find, fetch } = await hanging();
    const [owner, waiter] = [observe(find("one")), observe(find("one"))];
    await pass(JWKS_STALE_MAX_WAIT_MS - 1);
    expect([owner.isSettled, waiter.isSettled]).toEqual([false, false]);
    await pass(POLL_MS);
    expect([await owner.promise, await waiter.promise]).toEqual([
      expect.any(CryptoKey),
      expect.any(CryptoKey),
    ]);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("later requests use the known keys at once, without a fetch", async () => {
    const { find, fetch } = await hanging();
    await passUntil(find("one"));
    expect(await find("one")).toBeInstanceOf(CryptoKey);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("requests with an unknown kid wait for its outcome", async () => {
    const { find, respond } = await hanging();
    const found = observe(find("two"));
    await pass(2 * JWKS_STALE_MAX_WAIT_MS);
    expect(found.isSettled).toBe(false);
    respond("two");
    expect(await passUntil(found.promise)).toBeInstanceOf(CryptoKey);
  });

  it("it ends behind the response, and its keys are the next request's", async () => {
    const { find, fetch, respond, kept } = await hanging();
    await passUntil(find("one"));
    respond("two");
    await Promise.all(kept);
    await expect(find("one")).rejects.toMatchObject(MISSING);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("keys past the stale-if-error time are not used", async () => {
    const { find, fail } = await hanging(JWKS_STALE_IF_ERROR_MS);
    const outcome = observe(find("one"));
    await pass(2 * JWKS_STALE_MAX_WAIT_MS);
    expect(outcome.isSettled).toBe(false);
    fail();
    await expect(outcome.promise).rejects.toMatchObject({ name: "IssuerUnavailableError" });
  });

  it("a fetch that never ends is replaced when its lock expires", async () => {
    const { find, fetch } = await hanging();
    for (const fetches of [2, 3]) {
      await passUntil(find("one"));
      expect(fetch).toHaveBeenCalledTimes(fetches);
      advanceClock(LOCK_MS);
    }
  });
});

describe("a refresh within the maximum wait", () => {
  it("rejects a revoked key at the first request past the fresh time", async () => {
    const { find, respond } = await hanging();
    const outcome = expect(find("one")).rejects.toMatchObject(MISSING);
    await pass(JWKS_STALE_MAX_WAIT_MS - 1);
    respond("two");
    await outcome;
  });
});

describe("the log", () => {
  it("has one line per failed refresh whose stale keys are in use", async () => {
    const { find, goDown, publish } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS);
    const { lines } = await captureLog(async () => {
      await passUntil(Promise.all([find("one"), find("one")]));
      await find("one");
      advanceClock(JWKS_FAILURE_COOLDOWN_MS);
      await find("one");
      publish("one");
      advanceClock(JWKS_FAILURE_COOLDOWN_MS);
      await find("one");
    });
    const entry = {
      message: "stale issuer keys in use",
      jwksUri: JWKS_URI,
      reason: "the issuer is unreachable",
    };
    expect(lines.map((line) => JSON.parse(line))).toEqual([entry, entry]);
  });

  it("has one line per slow refresh", async () => {
    const { find } = await hanging();
    const { lines } = await captureLog(async () => {
      await passUntil(Promise.all([find("one"), find("one")]));
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        message: "stale issuer keys in use",
        jwksUri: JWKS_URI,
        reason: "timed out waiting for the issuer's keys",
      },
    ]);
  });

  it("has no line if the keys are fresh", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    const { lines } = await captureLog(() => find("one"));
    expect(lines).toEqual([]);
  });
});

describe("a slow issuer", () => {
  it("delays a request by the maximum wait at most, and replaces its keys behind the response", async () => {
    vi.restoreAllMocks();
    restoreClock();
    const [issuer, next] = [await newIssuer(), await newIssuer()];
    const token = await issuer.token();
    const nextToken = await next.token({ iss: issuer.issuer }, { kid: "next" });
    const read = async (sent: string) =>
      (await call(families[0].address(issuer.tenant), { token: sent })).status;
    expect(await read(token)).toBe(404);
    const now = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => now() + JWKS_MAX_AGE_MS);
    const body = JSON.stringify({ keys: [{ ...next.publicJwk, kid: "next" }] });
    await issuer.respondWith({ kind: "held", body });
    const startedAt = now();
    expect(await read(token)).toBe(404);
    expect(now() - startedAt).toBeGreaterThanOrEqual(JWKS_STALE_MAX_WAIT_MS);
    // The response to the fetch that has begun.
    await issuer.respondWith({ kind: "respond", body });
    await eventually(async () => expect(await read(token)).toBe(401));
    expect(await read(nextToken)).toBe(404);
    expect(await issuer.fetches()).toBe(2);
  });
});

/** An issuer that publishes the key `one`, and a resolver of its keys. */
async function network() {
  const { publicJwk } = await newIssuer();
  let kids: string[] | undefined = ["one"];
  const jwks = (...published: string[]) =>
    Response.json({ keys: published.map((kid) => ({ ...publicJwk, kid })) });
  const fetch = vi.fn<JwksFetch>(async () => {
    if (kids === undefined) throw new TypeError("connection refused");
    return jwks(...kids);
  });
  const kept: Promise<unknown>[] = [];
  const keys = new IssuerKeys(fetch, (work) => kept.push(work));
  return {
    fetch,
    jwks,
    kept,
    find: async (kid: string) => {
      const header: CompactJWSHeaderParameters = { alg: "ES256", kid };
      return keys.at(JWKS_URI)(header, { payload: "", signature: "" });
    },
    publish: (...published: string[]) => {
      kids = published;
    },
    goDown: () => {
      kids = undefined;
    },
  };
}

/** A {@link network} whose key is `ageMs` old, and whose next fetch hangs until `respond` or `fail`. */
async function hanging(ageMs = JWKS_MAX_AGE_MS) {
  const { find, fetch, jwks, kept } = await network();
  await find("one");
  advanceClock(ageMs);
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  fetch.mockReturnValue(promise);
  const respond = (...kids: string[]) => resolve(jwks(...kids));
  return { find, fetch, kept, respond, fail: () => reject(new TypeError("connection refused")) };
}

/** Lets simulated time pass, poll by poll. */
async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= POLL_MS) {
    advanceClock(Math.min(left, POLL_MS));
    for (const { until, end } of waits) if (Date.now() >= until) end();
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Lets simulated time pass until the promise is settled. */
async function passUntil<Value>(promise: Promise<Value>): Promise<Value> {
  const observed = observe(promise);
  while (!observed.isSettled) await pass(POLL_MS);
  return promise;
}

/** A promise, and whether it is settled. */
function observe<Value>(promise: Promise<Value>) {
  const state = { promise, isSettled: false };
  const settle = () => {
    state.isSettled = true;
  };
  promise.then(settle, settle);
  return state;
}
