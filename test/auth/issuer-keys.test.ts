import type { CompactJWSHeaderParameters, JWTVerifyGetKey } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  IssuerKeys,
  JWKS_CACHE_MAX_ISSUERS,
  JWKS_UNKNOWN_KID_COOLDOWN_MS,
} from "../../src/auth/issuer-keys.ts";
import type { JwksFetch } from "../../src/auth/jwks-cache.ts";
import {
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_MAX_AGE_MS,
  JWKS_STALE_IF_ERROR_MS,
} from "../../src/auth/jwks-cache.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { newIssuer } from "../support/issuer.ts";

const MISSING = { code: "ERR_JWKS_NO_MATCHING_KEY" };
const UNAVAILABLE = { name: "IssuerUnavailableError" };
const NO_KEYS = { name: "TokenError", message: "the issuer's JWKS endpoint responded 404" };

beforeEach(() => advanceClock(0));
afterEach(restoreClock);

describe("cached keys", () => {
  it("cost no fetch while they are fresh", async () => {
    const { find, fetch } = await network();
    await find("one");
    advanceClock(JWKS_MAX_AGE_MS - 1);
    await find("one");
    expect(fetch).toHaveBeenCalledOnce();
    advanceClock(1);
    await find("one");
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("are fetched again for an unknown kid, after the cooldown", async () => {
    const { find, fetch, publish } = await network();
    await find("one");
    publish("one", "two");
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS - 1);
    await expect(find("two")).rejects.toMatchObject(UNAVAILABLE);
    advanceClock(1);
    expect(await find("two")).toBeInstanceOf(CryptoKey);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("are unavailable for a kid that no fetch has looked for, until the next one", async () => {
    const { find } = await network();
    await find("one");
    advanceClock(1_000);
    const retryAt = Date.now() + JWKS_UNKNOWN_KID_COOLDOWN_MS - 1_000;
    for (let request = 0; request < 2; request++) {
      await expect(find("two")).rejects.toMatchObject({ ...UNAVAILABLE, retryAt });
      advanceClock(1_000);
    }
  });

  it("are unavailable for a kid that was first seen during the fetch: the issuer may have answered before", async () => {
    const { find, fetch, publish } = await network();
    const response = Promise.withResolvers<void>();
    const respond = fetch.getMockImplementation();
    fetch.mockImplementation(async (...request) => {
      const answer = await respond?.(...request);
      await response.promise;
      return answer ?? Response.error();
    });
    const first = find("one");
    await eventually(() => expect(fetch).toHaveBeenCalledOnce());
    publish("one", "two");
    advanceClock(1_000);
    const second = expect(find("two")).rejects.toMatchObject({
      ...UNAVAILABLE,
      retryAt: Date.now() + JWKS_UNKNOWN_KID_COOLDOWN_MS,
    });
    response.resolve();
    await Promise.all([first, second]);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("lack a kid that a fetch has looked for, also during the next cooldown", async () => {
    const { find, fetch } = await network();
    await find("one");
    advanceClock(1_000);
    await expect(find("two")).rejects.toMatchObject(UNAVAILABLE);
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS - 1_000);
    await expect(find("two")).rejects.toMatchObject(MISSING);
    advanceClock(1_000);
    await expect(find("two")).rejects.toMatchObject(MISSING);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("lack a kid too long for an issuer's, which would take memory", async () => {
    const { find } = await network();
    await find("one");
    advanceClock(1_000);
    await expect(find("x".repeat(256))).rejects.toMatchObject(MISSING);
  });

  it("lack a kid that the issuer has withdrawn, as a fetch has looked for it", async () => {
    const { find, publish } = await network();
    await find("one");
    publish("two");
    advanceClock(JWKS_MAX_AGE_MS);
    await find("two");
    await expect(find("one")).rejects.toMatchObject(MISSING);
  });

  it("are remembered as lacking 20 kids, the most recent ones", async () => {
    const { find } = await network();
    await find("one");
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    for (let kid = 0; kid <= 20; kid++) await expect(find(`kid ${kid}`)).rejects.toMatchObject(MISSING);
    advanceClock(1_000);
    await expect(find("kid 20")).rejects.toMatchObject(MISSING);
    await expect(find("kid 0")).rejects.toMatchObject(UNAVAILABLE);
  });

  it("are fetched once per cooldown during a flood of unknown kids", async () => {
    const { find, fetch } = await network();
    await find("one");
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    const flood = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => find(`invented-${index}`)),
    );
    expect(flood.every((each) => each.status === "rejected" && each.reason.code === MISSING.code)).toBe(true);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("expire when the issuer withdraws them", async () => {
    const { find, publish } = await network();
    await find("one");
    publish("two");
    advanceClock(JWKS_MAX_AGE_MS);
    await expect(find("one")).rejects.toMatchObject(MISSING);
  });

  it("are separate for each address", async () => {
    const { keys, find } = await network();
    await find("one");
    const elsewhere = keys.at("https://issuer.test/empty");
    await expect(resolveKey(elsewhere, "one")).rejects.toMatchObject(NO_KEYS);
  });
});

describe("keys of an issuer that is down", () => {
  it("stay in use", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
  });

  it("are unavailable, not missing, for an unknown kid: the issuer may have created one", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS);
    await expect(find("two")).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: "the issuer is unreachable",
    });
  });

  it("expire after the stale-if-error time, no matter when they were last used", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_STALE_IF_ERROR_MS - 1);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
    advanceClock(1);
    await expect(find("one")).rejects.toMatchObject(UNAVAILABLE);
  });

  it("cost one fetch for many requests", async () => {
    const { find, fetch, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_MAX_AGE_MS);
    await Promise.all(Array.from({ length: 30 }, () => find("one")));
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("return when it is up and the cooldown is over", async () => {
    const { find, goDown, publish } = await network();
    goDown();
    await expect(find("one")).rejects.toMatchObject(UNAVAILABLE);
    publish("one");
    await expect(find("one")).rejects.toMatchObject(UNAVAILABLE);
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
  });
});

describe("a full cache", () => {
  it("evicts issuers without keys first, so that invented tenants cost real ones nothing", async () => {
    const { keys, find, fetch } = await network();
    await find("one");
    for (let index = 0; index < JWKS_CACHE_MAX_ISSUERS * 2; index += 1) {
      const invented = keys.at(`https://issuer.test/invented/${index}`);
      await expect(resolveKey(invented, "one")).rejects.toMatchObject(NO_KEYS);
    }
    fetch.mockClear();
    await find("one");
    expect(fetch).not.toHaveBeenCalled();
  });

  it("evicts the least recently used issuer if all have keys", async () => {
    const { keys, fetch, address } = await network();
    const [first = "", second = "", ...others] = Array.from(
      { length: JWKS_CACHE_MAX_ISSUERS },
      (_, index) => `${address}?${index}`,
    );
    for (const url of [first, second, ...others, first, `${address}?new`]) {
      await resolveKey(keys.at(url), "one");
    }
    expect(fetch).toHaveBeenCalledTimes(JWKS_CACHE_MAX_ISSUERS + 1);
    fetch.mockClear();
    await resolveKey(keys.at(first), "one");
    expect(fetch).not.toHaveBeenCalled();
    await resolveKey(keys.at(second), "one");
    expect(fetch).toHaveBeenCalledExactlyOnceWith(second, expect.anything());
  });
});

/** A network with one issuer, which publishes the key `one`. */
async function network() {
  const address = "https://issuer.test/certs";
  const { publicJwk } = await newIssuer();
  let kids: string[] | undefined = ["one"];
  const fetch = vi.fn<JwksFetch>(async (url) => {
    if (kids === undefined) throw new TypeError("connection refused");
    if (!url.startsWith(address)) return new Response("not found", { status: 404 });
    return Response.json({ keys: kids.map((kid) => ({ ...publicJwk, kid })) });
  });
  const keys = new IssuerKeys(fetch);
  return {
    address,
    keys,
    fetch,
    find: (kid: string) => resolveKey(keys.at(address), kid),
    publish: (...published: string[]) => {
      kids = published;
    },
    goDown: () => {
      kids = undefined;
    },
  };
}

async function resolveKey(getKey: JWTVerifyGetKey, kid: string) {
  const header: CompactJWSHeaderParameters = { alg: "ES256", kid };
  return getKey(header, { payload: "", signature: "" });
}
