import { afterEach, describe, expect, it } from "vitest";
import { JWKS_FAILURE_COOLDOWN_MS, JWKS_FRESH_MS, JWKS_UNKNOWN_KID_COOLDOWN_MS } from "../../src/limits.ts";
import { attempt, expectSaved, expectUnauthorized, storedFor } from "../support/attempt.ts";
import { call } from "../support/client.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { forged } from "../support/forge.ts";
import { administrator, type Issuer, newIssuer, newTenant } from "../support/issuer.ts";
import type { Behaviour } from "../support/issuer-network.ts";
import { requestsTo } from "../support/network.ts";

const UNAVAILABLE = {
  message: "The keys of the token's issuer cannot be had. Try again in a few seconds.",
  status: "SERVICE_UNAVAILABLE",
  subSystem: 8,
};

const realm = (tenant?: string) => newIssuer(tenant, "ES256");

afterEach(restoreClock);

describe("a bogus token costs no fetch", () => {
  it.each<[string, (realm: Issuer) => string | Promise<string>]>([
    ["rubbish", () => "rubbish"],
    ["no signature", ({ issuer }) => forged({ alg: "none" }, administrator(issuer))],
    ["a symmetric algorithm", ({ issuer }) => forged({ alg: "HS256" }, administrator(issuer), "AAAA")],
    ["another issuer", ({ token }) => token({ iss: "https://evil.test" })],
    ["no exp", ({ token }) => token({ exp: undefined })],
    ["an exp of long ago", ({ token }) => token({ exp: 1 })],
    ["a wrong header typ", ({ token }) => token({}, { typ: "logout+jwt" })],
    ["crit", ({ token }) => token({}, { crit: ["b64"], b64: true })],
    ["20 KiB", ({ token }) => token({ filler: "x".repeat(20_000) })],
  ])("with %s", async (_, bogus) => {
    const issuer = await realm();
    const { response } = await attempt(issuer.tenant, await bogus(issuer));
    expect(response.status).toBe(401);
    expect(await issuer.fetches()).toBe(0);
  });
});

describe("parallel requests in a cold isolate", () => {
  it("make one fetch, and all succeed", async () => {
    const issuer = await realm();
    expect(await statusesOf(issuer, 40)).toEqual(new Set([404]));
    expect(await issuer.fetches()).toBe(1);
  });

  it("make one fetch where the issuer is slow", async () => {
    const issuer = await realm();
    const body = JSON.stringify({ keys: [issuer.publicJwk] });
    await issuer.serves({ kind: "slow", milliseconds: 150, body });
    expect(await statusesOf(issuer, 20)).toEqual(new Set([404]));
    expect(await issuer.fetches()).toBe(1);
  });

  it("make one fetch where the issuer is down", async () => {
    const issuer = await realm();
    await issuer.serves({ kind: "down" });
    expect(await statusesOf(issuer, 20)).toEqual(new Set([503]));
    expect(await issuer.fetches()).toBe(1);
  });
});

describe("an issuer whose keys cannot be had", () => {
  it.each<[string, Behaviour, string]>([
    ["answers 500", { kind: "answer", status: 500, body: "{}" }, "the issuer's keys answered 500"],
    ["answers 404", { kind: "answer", status: 404, body: "{}" }, "the issuer's keys answered 404"],
    ["answers HTML", { kind: "answer", body: "<html>" }, "the issuer's keys are not a JWK Set"],
    ["answers nothing", { kind: "answer", body: "" }, "the issuer's keys are not a JWK Set"],
    ["answers without end", { kind: "huge", bytes: 3_000_000 }, "the issuer's keys are too large"],
  ])("gives 503 with Retry-After, once and for the next request: it %s", async (_, behaviour, reason) => {
    const issuer = await realm();
    await issuer.serves(behaviour);
    const [first, second] = [await tried(issuer), await tried(issuer)];
    for (const { response, ...logged } of [first, second]) {
      expect(response.status).toBe(503);
      expect(response.headers.get("Retry-After")).toBe(String(JWKS_FAILURE_COOLDOWN_MS / 1000));
      expect(await response.json()).toEqual(UNAVAILABLE);
      expect(logged.reason).toBe(reason);
    }
    expect(await issuer.fetches()).toBe(1);
    expect(await storedFor(issuer.tenant)).toBeNull();
  });

  it("is not followed to where it redirects", async () => {
    const [issuer, other] = [await realm(), await realm()];
    await issuer.serves({ kind: "answer", status: 302, body: "", headers: { Location: other.jwksUri } });
    const { response, reason } = await tried(issuer);
    expect(response.status).toBe(503);
    expect(reason).toBe("the issuer's keys answered 302");
    expect(await other.fetches()).toBe(0);
  });

  it("takes no other tenant down", async () => {
    const [issuer, other] = [await realm(), await realm()];
    await issuer.serves({ kind: "down" });
    expect((await tried(issuer)).response.status).toBe(503);
    await expectSaved(await tried(other));
  });

  it("is asked again after the cooldown, and works then", async () => {
    const issuer = await realm();
    await issuer.serves({ kind: "down" });
    await tried(issuer);
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys: [issuer.publicJwk] }) });
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    await expectSaved(await tried(issuer));
    expect(await issuer.fetches()).toBe(2);
  });

  it("goes on with its last known keys", async () => {
    const issuer = await realm();
    await tried(issuer);
    await issuer.serves({ kind: "down" });
    advanceClock(JWKS_FRESH_MS);
    await expectSaved(await tried(issuer));
    expect(await issuer.fetches()).toBe(2);
  });
});

describe("the request for an issuer's keys", () => {
  it("carries nothing of the caller's", async () => {
    const issuer = await realm();
    const token = await issuer.token();
    const headers = { Cookie: "session=secret", "X-Forwarded-For": "192.0.2.7" };
    await call(families[0].address(issuer.tenant), { token, headers });
    const seen = JSON.stringify(await requestsTo(issuer.jwksUri));
    expect(seen).toContain('"method":"GET"');
    for (const secret of [token, "session=secret", "192.0.2.7"]) expect(seen).not.toContain(secret);
  });
});

describe("keys of an issuer", () => {
  it("may be rotated: a new kid is picked up after the cooldown", async () => {
    const [issuer, successor] = [await realm(), await realm()];
    await tried(issuer);
    const next = { ...successor.publicJwk, kid: "next" };
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys: [next, issuer.publicJwk] }) });
    const signed = () => successor.token({ iss: issuer.issuer }, { kid: "next" });
    expect((await attempt(issuer.tenant, await signed())).response.status).toBe(401);
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    await expectSaved(await attempt(issuer.tenant, await signed()));
    expect(await issuer.fetches()).toBe(2);
  });

  it("are fetched at most once more by a flood of unknown kids", async () => {
    const issuer = await realm();
    await tried(issuer);
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    const tokens = Array.from({ length: 30 }, (_, index) => issuer.token({}, { kid: `made-up-${index}` }));
    const address = families[0].address(issuer.tenant);
    const flood = await Promise.all(tokens.map(async (token) => call(address, { token: await token })));
    expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await issuer.fetches()).toBe(2);
  });

  it("may share a kid (RFC 7517 section 4.5)", async () => {
    const [issuer, stranger] = [await realm(), await realm()];
    const twin = { ...stranger.publicJwk, kid: `${issuer.tenant}-1` };
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys: [twin, issuer.publicJwk] }) });
    await expectSaved(await tried(issuer));
  });

  it("that share a kid are not tried without end", async () => {
    const issuer = await realm();
    const twins = await Promise.all(Array.from({ length: 4 }, async () => (await realm()).publicJwk));
    const keys = [...twins.map((twin) => ({ ...twin, kid: `${issuer.tenant}-1` })), issuer.publicJwk];
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys }) });
    await expectUnauthorized(await tried(issuer), "no key of this kid verifies the signature");
  });

  it("that share a kid let nobody else's signature pass", async () => {
    const [issuer, twin, stranger] = [await realm(), await realm(), await realm()];
    const keys = [issuer.publicJwk, { ...twin.publicJwk, kid: `${issuer.tenant}-1` }];
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys }) });
    const token = await stranger.token({ iss: issuer.issuer }, { kid: `${issuer.tenant}-1` });
    await expectUnauthorized(
      await attempt(issuer.tenant, token),
      "no key of this kid verifies the signature",
    );
  });

  it("that share a kid do not let other checks be forgotten", async () => {
    const [issuer, twin] = [await realm(), await realm()];
    const keys = [{ ...twin.publicJwk, kid: `${issuer.tenant}-1` }, issuer.publicJwk];
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys }) });
    const early = await issuer.token({ nbf: Math.floor(Date.now() / 1000) + 100 });
    await expectUnauthorized(await attempt(issuer.tenant, early), "ERR_JWT_CLAIM_VALIDATION_FAILED nbf");
  });

  it("are found for a token without a kid", async () => {
    const issuer = await realm();
    await expectSaved(await attempt(issuer.tenant, await issuer.token({}, { kid: undefined })));
  });

  it.each<[string, object]>([
    ["are for encryption", { use: "enc" }],
    ["are for another operation", { key_ops: ["sign"] }],
    ["are for another algorithm", { alg: "ES384" }],
  ])("do not verify tokens where they %s", async (_, change) => {
    const issuer = await realm();
    const changed = { ...issuer.publicJwk, ...change };
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys: [changed] }) });
    await expectUnauthorized(await tried(issuer), "ERR_JWKS_NO_MATCHING_KEY");
  });

  it("that no library can read are refused without a 500", async () => {
    const issuer = await realm();
    const broken = { ...issuer.publicJwk, x: "AAAA", y: "AAAA" };
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys: [broken] }) });
    await expectUnauthorized(await tried(issuer), "the issuer's key cannot be used");
  });

  it("none: an empty set is answered like rubbish", async () => {
    const issuer = await realm(newTenant());
    await issuer.serves({ kind: "answer", body: '{"keys":[]}' });
    expect((await tried(issuer)).response.status).toBe(503);
    expect((await tried(issuer)).response.status).toBe(503);
    expect(await issuer.fetches()).toBe(1);
  });

  it("are not hidden by a weak one that shares their kid", async () => {
    const issuer = await newIssuer();
    const weak = { ...issuer.publicJwk, n: "u".repeat(171) };
    await issuer.serves({ kind: "answer", body: JSON.stringify({ keys: [weak, issuer.publicJwk] }) });
    expect((await tried(issuer)).response.status).toBe(200);
  });
});

async function tried(issuer: Issuer) {
  return attempt(issuer.tenant, await issuer.token());
}

async function statusesOf({ tenant, token }: Issuer, requests: number): Promise<Set<number>> {
  const sent = await token();
  const address = families[0].address(tenant);
  const responses = await Promise.all(Array.from({ length: requests }, () => call(address, { token: sent })));
  return new Set(responses.map(({ status }) => status));
}
