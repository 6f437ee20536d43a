import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TokenCache } from "../../src/oauth/token-cache.ts";
import type { TokenResult, TokenSettings } from "../../src/oauth/token-request.ts";
import { eventually } from "../support/eventually.ts";

const settings: TokenSettings = {
  url: "https://login.example.net/token",
  grantType: "client_credentials",
  clientId: "client-1",
  scope: "smtp",
  credential: { clientSecret: "s3cret" },
  subject: "postmaster@example.com",
};

const start = Date.UTC(2026, 10, 24);

const unreachable: TokenResult = { ok: false, failure: { kind: "unreachable", status: 503 } };

/** A cache whose requests wait until the test answers them. */
function newCache(lifetimeMs = 3_600_000) {
  const requests: { settings: TokenSettings; answer: (result: TokenResult) => void }[] = [];
  const cache = new TokenCache(
    (wanted) => new Promise((answer) => requests.push({ settings: wanted, answer })),
  );
  /** Answers the newest request, once there are `count`. */
  const answer = async (count: number, result?: TokenResult) => {
    await eventually(() => expect(requests).toHaveLength(count));
    const expiresAt = Date.now() + lifetimeMs;
    requests[count - 1]?.answer(result ?? { ok: true, token: `token-${count}`, expiresAt, cached: false });
  };
  /** Gets the first token into the cache. */
  const fill = async () => {
    const first = cache.get(settings);
    await answer(1);
    return first;
  };
  return { cache, requests, answer, fill };
}

function token(name: string, cached: boolean) {
  return { ok: true, token: name, expiresAt: expect.any(Number), cached };
}

describe("TokenCache", () => {
  beforeEach(() => void vi.setSystemTime(start));
  afterEach(() => void vi.useRealTimers());

  it("requests a token once, and then returns it", async () => {
    const { cache, requests, fill } = newCache();
    expect(await fill()).toEqual(token("token-1", false));
    expect(await cache.get(settings)).toEqual(token("token-1", true));
    expect(requests).toHaveLength(1);
    expect(requests[0]?.settings).toEqual(settings);
  });

  it("remembers how an endpoint takes the client secret, and of the last endpoint only", async () => {
    const { cache, requests, answer } = newCache();
    const method = "client_secret_basic";
    const get = async (count: number, changes: Partial<TokenSettings>, result?: TokenResult) => {
      const wanted = cache.get({ ...settings, ...changes });
      await answer(count, result);
      await wanted;
      return requests[count - 1]?.settings.method;
    };
    const issued = { ok: true, token: "a-token", expiresAt: Date.now() + 3_600_000, cached: false } as const;
    expect(await get(1, {}, { ...issued, method })).toBeUndefined();
    expect(await get(2, { credential: { clientSecret: "new" } }, unreachable)).toBe(method);
    expect(await get(3, { scope: "other" }, { ...issued, method })).toBe(method);
    const url = "https://login.example.org/token";
    expect(await get(4, { url }, issued)).toBeUndefined();
    expect(await get(5, {}, issued)).toBeUndefined();
  });

  it("shares one request among 50 concurrent callers", async () => {
    const { cache, requests, answer } = newCache();
    const results = Array.from({ length: 50 }, () => cache.get(settings));
    await answer(1);
    expect(await Promise.all(results)).toEqual(Array(50).fill(token("token-1", false)));
    expect(requests).toHaveLength(1);
  });

  it.each<[string, Partial<TokenSettings>]>([
    ["URL", { url: "https://login.example.org/token" }],
    ["grant", { grantType: "urn:ietf:params:oauth:grant-type:jwt-bearer" }],
    ["client", { clientId: "client-2" }],
    ["scope", { scope: undefined }],
    ["secret", { credential: { clientSecret: "other" } }],
    ["kind of credential", { credential: { privateKey: "s3cret" } }],
    ["subject", { subject: "other@example.com" }],
  ])("requests another token for another %s", async (_, changes) => {
    const { cache, answer, fill } = newCache();
    await fill();
    const other = cache.get({ ...settings, ...changes });
    await answer(2);
    expect(await other).toEqual(token("token-2", false));
  });

  it("drops the late token of previous settings", async () => {
    const { cache, requests, answer } = newCache();
    const previous = cache.get(settings);
    await eventually(() => expect(requests).toHaveLength(1));
    const changed = { ...settings, clientId: "client-2" };
    const current = cache.get(changed);
    await answer(2);
    expect(await current).toEqual(token("token-2", false));
    requests[0]?.answer({ ok: true, token: "late", expiresAt: Date.now() + 3_600_000, cached: false });
    expect(await previous).toEqual(token("late", false));
    expect(await cache.get(changed)).toEqual(token("token-2", true));
  });

  it.each([
    [3_600_000, 60_000],
    [600_000, 60_000],
    [60_000, 6_000],
    [1_000, 100],
  ])("renews a token of %i ms %i ms before it expires", async (lifetimeMs, marginMs) => {
    const { cache, answer, fill } = newCache(lifetimeMs);
    await fill();
    vi.setSystemTime(start + lifetimeMs - marginMs - 1);
    expect(await cache.get(settings)).toEqual(token("token-1", true));
    vi.setSystemTime(start + lifetimeMs - marginMs);
    const renewed = cache.get(settings);
    await answer(2);
    expect(await renewed).toEqual(token("token-2", false));
    expect(await cache.get(settings)).toEqual(token("token-2", true));
  });

  it("counts the lifetime from the request on", async () => {
    const { cache, requests } = newCache();
    const first = cache.get(settings);
    await eventually(() => expect(requests).toHaveLength(1));
    vi.setSystemTime(start + 7_000);
    requests[0]?.answer({ ok: true, token: "token-1", expiresAt: start + 60_000, cached: false });
    await first;
    vi.setSystemTime(start + 53_999);
    expect(await cache.get(settings)).toEqual(token("token-1", true));
    vi.setSystemTime(start + 54_000);
    void cache.get(settings);
    await eventually(() => expect(requests).toHaveLength(2));
  });

  it("does not keep a token that has no lifetime", async () => {
    const { cache, answer, fill } = newCache(0);
    expect(await fill()).toEqual(token("token-1", false));
    const next = cache.get(settings);
    await answer(2);
    expect(await next).toEqual(token("token-2", false));
  });

  it("uses a token until it expires while the endpoint is unreachable, and never longer", async () => {
    const { cache, answer, fill } = newCache();
    await fill();
    vi.setSystemTime(start + 3_600_000 - 1);
    const valid = cache.get(settings);
    await answer(2, unreachable);
    expect(await valid).toEqual(token("token-1", true));
    vi.setSystemTime(start + 3_600_000);
    const expired = cache.get(settings);
    await answer(3, unreachable);
    expect(await expired).toEqual(unreachable);
  });

  it.each(["rejected", "no_token", "forbidden"] as const)(
    "returns the failure of a renewal that is %s, although the token is still valid",
    async (kind) => {
      const { cache, answer, fill } = newCache();
      await fill();
      vi.setSystemTime(start + 3_600_000 - 1);
      const result = cache.get(settings);
      await answer(2, { ok: false, failure: { kind } });
      expect(await result).toEqual({ ok: false, failure: { kind } });
    },
  );

  it("does not keep a failure", async () => {
    const { cache, answer } = newCache();
    const failed = cache.get(settings);
    await answer(1, unreachable);
    expect(await failed).toEqual(unreachable);
    const next = cache.get(settings);
    await answer(2);
    expect(await next).toEqual(token("token-2", false));
  });

  it("requests a token again after an unexpected error", async () => {
    let requests = 0;
    const cache = new TokenCache(async () => {
      if (++requests === 1) throw new Error("unexpected");
      return { ok: true, token: "token-2", expiresAt: Date.now() + 3_600_000, cached: false };
    });
    await expect(cache.get(settings)).rejects.toThrow("unexpected");
    expect(await cache.get(settings)).toEqual(token("token-2", false));
  });

  it("renews a token that the SMTP server has rejected, once for all who report it", async () => {
    const { cache, requests, answer, fill } = newCache();
    await fill();
    const results = Array.from({ length: 5 }, () => cache.get(settings, "token-1"));
    await answer(2);
    expect(await Promise.all(results)).toEqual(Array(5).fill(token("token-2", false)));
    expect(requests).toHaveLength(2);
  });

  it("keeps a newer token after a late rejection of the previous one", async () => {
    const { cache, requests, answer, fill } = newCache();
    await fill();
    const renewed = cache.get(settings, "token-1");
    await answer(2);
    await renewed;
    expect(await cache.get(settings, "token-1")).toEqual(token("token-2", true));
    expect(await cache.get(settings)).toEqual(token("token-2", true));
    expect(requests).toHaveLength(2);
  });

  it("does not return a rejected token while the endpoint is unreachable", async () => {
    const { cache, answer, fill } = newCache();
    await fill();
    const result = cache.get(settings, "token-1");
    await answer(2, unreachable);
    expect(await result).toEqual(unreachable);
  });
});
