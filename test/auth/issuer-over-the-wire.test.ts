import { afterEach, describe, expect, it } from "vitest";
import { JWKS_UNKNOWN_KID_COOLDOWN_MS } from "../../src/auth/issuer-keys.ts";
import { JWKS_FAILURE_COOLDOWN_MS, JWKS_MAX_AGE_MS } from "../../src/auth/jwks-cache.ts";
import { call } from "../support/client.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { forged } from "../support/forge.ts";
import { administratorClaims, type Issuer, newIssuer } from "../support/issuer.ts";
import type { Behavior } from "../support/issuer-network.ts";
import { requestsTo } from "../support/network.ts";
import { attemptSave, expectSaved, expectUnauthorized, storedFor } from "../support/save-attempt.ts";

const UNAVAILABLE = {
  message: "The issuer's signing keys are unavailable. Try again in a few seconds.",
  status: "SERVICE_UNAVAILABLE",
  subSystem: 8,
};

afterEach(restoreClock);

describe("concurrent requests in a cold isolate", () => {
  it("share one fetch, and succeed", async () => {
    const issuer = await newIssuer();
    expect(await statusesOf(issuer, 40)).toEqual(new Set([404]));
    expect(await issuer.fetches()).toBe(1);
  });

  it("share one fetch from a slow issuer", async () => {
    const issuer = await newIssuer();
    const body = JSON.stringify({ keys: [issuer.publicJwk] });
    await issuer.respondWith({ kind: "slow", milliseconds: 50, body });
    expect(await statusesOf(issuer, 20)).toEqual(new Set([404]));
    expect(await issuer.fetches()).toBe(1);
  });

  it("share one fetch from an issuer that is down", async () => {
    const issuer = await newIssuer();
    await issuer.respondWith({ kind: "down" });
    expect(await statusesOf(issuer, 20)).toEqual(new Set([503]));
    expect(await issuer.fetches()).toBe(1);
  });
});

describe("an issuer whose keys are unavailable", () => {
  it.each<[string, Behavior, string]>([
    ["500", { kind: "respond", status: 500, body: "{}" }, "the issuer's JWKS endpoint responded 500"],
    ["HTML", { kind: "respond", body: "<html>" }, "the issuer's response is not a JWK Set"],
    ["a huge body", { kind: "huge", bytes: 3_000_000 }, "the issuer's JWK Set is too large"],
  ])("causes 503 with Retry-After, and one fetch for two requests: %s", async (_, behavior, reason) => {
    const issuer = await newIssuer();
    await issuer.respondWith(behavior);
    for (const outcome of [await save(issuer), await save(issuer)]) {
      expect(outcome.response.status).toBe(503);
      expect(outcome.response.headers.get("Retry-After")).toBe(String(JWKS_FAILURE_COOLDOWN_MS / 1000));
      expect(await outcome.response.json()).toEqual(UNAVAILABLE);
      expect(outcome.reason).toBe(reason);
    }
    expect(await issuer.fetches()).toBe(1);
    expect(await storedFor(issuer.tenant)).toBeNull();
  });

  it("does not redirect the fetch elsewhere", async () => {
    const [issuer, other] = [await newIssuer(), await newIssuer()];
    await issuer.respondWith({
      kind: "respond",
      status: 302,
      body: "",
      headers: { Location: other.jwksUri },
    });
    const { response, reason } = await save(issuer);
    expect(response.status).toBe(503);
    expect(reason).toBe("the issuer's JWKS endpoint responded 302");
    expect(await other.fetches()).toBe(0);
  });

  it("does not affect other tenants", async () => {
    const [issuer, other] = [await newIssuer(), await newIssuer()];
    await issuer.respondWith({ kind: "down" });
    expect((await save(issuer)).response.status).toBe(503);
    await expectSaved(await save(other));
  });

  it("works at the first fetch after the cooldown", async () => {
    const issuer = await newIssuer();
    await issuer.respondWith({ kind: "down" });
    await save(issuer);
    await issuer.publish(issuer.publicJwk);
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    await expectSaved(await save(issuer));
    expect(await issuer.fetches()).toBe(2);
  });

  it("keeps its last valid keys in use", async () => {
    const issuer = await newIssuer();
    await save(issuer);
    await issuer.respondWith({ kind: "down" });
    advanceClock(JWKS_MAX_AGE_MS);
    const token = await issuer.token();
    expect((await call(families[0].address(issuer.tenant), { token })).status).toBe(200);
    expect(await issuer.fetches()).toBe(2);
  });
});

describe("the fetch of an issuer's keys", () => {
  it.each<[string, (issuer: Issuer) => string | Promise<string>]>([
    ["an unsigned token", ({ issuer }) => forged({ alg: "none" }, administratorClaims(issuer))],
    ["an expired token", ({ token }) => token({ exp: 1 })],
    ["a token of another issuer", ({ token }) => token({ iss: "https://evil.test" })],
  ])("does not happen for %s", async (_, invalid) => {
    const issuer = await newIssuer();
    expect((await attemptSave(issuer.tenant, await invalid(issuer))).response.status).toBe(401);
    expect(await issuer.fetches()).toBe(0);
  });

  it("carries nothing of the caller's request", async () => {
    const issuer = await newIssuer();
    const token = await issuer.token();
    const headers = { Cookie: "session=secret", "X-Forwarded-For": "192.0.2.7" };
    await call(families[0].address(issuer.tenant), { token, headers });
    const seen = JSON.stringify(await requestsTo(issuer.jwksUri));
    expect(seen).toContain('"method":"GET"');
    for (const secret of [token, "session=secret", "192.0.2.7"]) expect(seen).not.toContain(secret);
  });

  it("finds a rotated key after the cooldown", async () => {
    const [issuer, successor] = [await newIssuer(), await newIssuer()];
    await save(issuer);
    await issuer.publish({ ...successor.publicJwk, kid: "next" }, issuer.publicJwk);
    const signed = () => successor.token({ iss: issuer.issuer }, { kid: "next" });
    advanceClock(1_000);
    expect((await attemptSave(issuer.tenant, await signed())).response.status).toBe(503);
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    await expectSaved(await attemptSave(issuer.tenant, await signed()));
    expect(await issuer.fetches()).toBe(2);
  });

  it("is announced by 503 with the time left, for a token of a new key within the cooldown", async () => {
    const issuer = await newIssuer();
    await save(issuer);
    advanceClock(1_000);
    const address = families[0].address(issuer.tenant);
    const response = await call(address, { token: await issuer.token({}, { kid: "new" }) });
    expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "29"]);
    expect(await issuer.fetches()).toBe(1);
  });

  it("happens once per cooldown during a flood of unknown kids", async () => {
    const issuer = await newIssuer();
    await save(issuer);
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    const tokens = Array.from({ length: 30 }, (_, index) => issuer.token({}, { kid: `invented-${index}` }));
    const address = families[0].address(issuer.tenant);
    const flood = await Promise.all(tokens.map(async (token) => call(address, { token: await token })));
    expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await issuer.fetches()).toBe(2);
  });
});

describe("published keys", () => {
  it("may share a kid (RFC 7517 section 4.5)", async () => {
    const [issuer, stranger] = [await newIssuer(), await newIssuer()];
    await issuer.publish({ ...stranger.publicJwk, kid: issuer.kid }, issuer.publicJwk);
    await expectSaved(await save(issuer));
  });

  it("cause 401, not 500, if they are malformed", async () => {
    const issuer = await newIssuer();
    await issuer.publish({ ...issuer.publicJwk, x: "AAAA", y: "AAAA" });
    await expectUnauthorized(await save(issuer), "the issuer's key is unusable");
  });
});

async function save(issuer: Issuer) {
  return attemptSave(issuer.tenant, await issuer.token());
}

async function statusesOf({ tenant, token }: Issuer, requests: number): Promise<Set<number>> {
  const sent = await token();
  const address = families[0].address(tenant);
  const responses = await Promise.all(Array.from({ length: requests }, () => call(address, { token: sent })));
  return new Set(responses.map(({ status }) => status));
}
