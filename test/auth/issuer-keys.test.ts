import type { CompactJWSHeaderParameters, JWTVerifyGetKey } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IssuerKeys } from "../../src/auth/issuer-keys.ts";
import type { JwksFetch } from "../../src/auth/jwks-source.ts";
import {
  JWKS_CACHED_ISSUERS,
  JWKS_FAILURE_COOLDOWN_MS,
  JWKS_FRESH_MS,
  JWKS_STALE_IF_ERROR_MS,
  JWKS_UNKNOWN_KID_COOLDOWN_MS,
} from "../../src/limits.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { newIssuer } from "../support/issuer.ts";

const MISSING = { code: "ERR_JWKS_NO_MATCHING_KEY" };
const UNAVAILABLE = { refusal: { kind: "issuer_unavailable" } };

beforeEach(() => advanceClock(0));
afterEach(restoreClock);

describe("keys at hand", () => {
  it("cost no fetch until they are no longer fresh", async () => {
    const { find, fetch } = await network();
    await find("one");
    advanceClock(JWKS_FRESH_MS - 1);
    await find("one");
    expect(fetch).toHaveBeenCalledOnce();
    advanceClock(1);
    await find("one");
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("are replaced when an unknown kid comes, after the cooldown", async () => {
    const { find, fetch, publish } = await network();
    await find("one");
    publish("one", "two");
    await expect(find("two")).rejects.toMatchObject(MISSING);
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    expect(await find("two")).toBeInstanceOf(CryptoKey);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("are fetched at most once a cooldown by a flood of unknown kids", async () => {
    const { find, fetch } = await network();
    await find("one");
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    const flood = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => find(`made-up-${index}`)),
    );
    expect(flood.every((each) => each.status === "rejected" && each.reason.code === MISSING.code)).toBe(true);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("are dropped once the issuer has withdrawn them and they are no longer fresh", async () => {
    const { find, publish } = await network();
    await find("one");
    publish("two");
    advanceClock(JWKS_FRESH_MS);
    await expect(find("one")).rejects.toMatchObject(MISSING);
  });

  it("are kept apart by address", async () => {
    const { keys, find } = await network();
    await find("one");
    const elsewhere = keys.at("https://issuer.test/empty");
    await expect(lookUp(elsewhere, "one")).rejects.toMatchObject(UNAVAILABLE);
  });
});

describe("an issuer that is down", () => {
  it("lends its last known keys", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_FRESH_MS);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
  });

  it("lends no key that may have been made meanwhile: that is unavailable, not missing", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_FRESH_MS);
    await expect(find("two")).rejects.toMatchObject(UNAVAILABLE);
  });

  it("does not lend its keys for longer than the bound, however late they were last asked for", async () => {
    const { find, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_STALE_IF_ERROR_MS - 1);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
    advanceClock(1);
    await expect(find("one")).rejects.toMatchObject(UNAVAILABLE);
  });

  it("is not asked by each request while its keys are lent", async () => {
    const { find, fetch, goDown } = await network();
    await find("one");
    goDown();
    advanceClock(JWKS_FRESH_MS);
    await Promise.all(Array.from({ length: 30 }, () => find("one")));
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("is heard again once it is up and the cooldown is over", async () => {
    const { find, goDown, publish } = await network();
    goDown();
    await expect(find("one")).rejects.toMatchObject(UNAVAILABLE);
    publish("one");
    await expect(find("one")).rejects.toMatchObject(UNAVAILABLE);
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    expect(await find("one")).toBeInstanceOf(CryptoKey);
  });
});

describe("more issuers than are kept", () => {
  it("push out those without keys first, so a flood of made-up tenants costs real ones nothing", async () => {
    const { keys, find, fetch } = await network();
    await find("one");
    for (let index = 0; index < JWKS_CACHED_ISSUERS * 2; index += 1) {
      const madeUp = keys.at(`https://issuer.test/made-up/${index}`);
      await expect(lookUp(madeUp, "one")).rejects.toMatchObject(UNAVAILABLE);
    }
    fetch.mockClear();
    await find("one");
    expect(fetch).not.toHaveBeenCalled();
  });

  it("push out the one that was used longest ago where all have keys", async () => {
    const { keys, fetch, address } = await network();
    const tenants = Array.from({ length: JWKS_CACHED_ISSUERS }, (_, index) => `${address}?${index}`);
    for (const url of tenants) await lookUp(keys.at(url), "one");
    await lookUp(keys.at(tenants[0] ?? ""), "one");
    await lookUp(keys.at(`${address}?new`), "one");
    fetch.mockClear();
    await lookUp(keys.at(tenants[0] ?? ""), "one");
    expect(fetch).not.toHaveBeenCalled();
    await lookUp(keys.at(tenants[1] ?? ""), "one");
    expect(fetch).toHaveBeenCalledExactlyOnceWith(tenants[1], expect.anything());
  });
});

/** One issuer, which publishes a key `one`, in a network that holds nothing else. */
async function network() {
  const address = "https://issuer.test/certs";
  const { publicJwk } = await newIssuer(undefined, "ES256");
  let kids: string[] | undefined = ["one"];
  const fetch = vi.fn<JwksFetch>(async (url) => {
    if (kids === undefined) throw new TypeError("connection refused");
    if (!url.startsWith(address)) return new Response("nothing here", { status: 404 });
    return Response.json({ keys: kids.map((kid) => ({ ...publicJwk, kid })) });
  });
  const keys = new IssuerKeys(fetch);
  return {
    address,
    keys,
    fetch,
    find: (kid: string) => lookUp(keys.at(address), kid),
    publish: (...published: string[]) => {
      kids = published;
    },
    goDown: () => {
      kids = undefined;
    },
  };
}

async function lookUp(getKey: JWTVerifyGetKey, kid: string) {
  const header: CompactJWSHeaderParameters = { alg: "ES256", kid };
  return getKey(header, { payload: "", signature: "" });
}
