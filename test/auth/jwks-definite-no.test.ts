import { afterEach, describe, expect, it } from "vitest";
import { JWKS_UNKNOWN_KID_COOLDOWN_MS } from "../../src/auth/issuer-keys.ts";
import { JWKS_FAILURE_COOLDOWN_MS, JWKS_MAX_AGE_MS } from "../../src/auth/jwks-cache.ts";
import { call } from "../support/client.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { type Issuer, newIssuer } from "../support/issuer.ts";
import type { Behavior } from "../support/issuer-network.ts";
import { captureLogEntry } from "../support/log.ts";
import { attemptSave, expectSaved, expectUnauthorized } from "../support/save-attempt.ts";

const NO: [string, Behavior, string][] = [
  ["404", { kind: "respond", status: 404, body: "{}" }, "the issuer's JWKS endpoint responded 404"],
  ["410", { kind: "respond", status: 410, body: "{}" }, "the issuer's JWKS endpoint responded 410"],
  ["an empty JWK Set", { kind: "respond", body: '{"keys":[]}' }, "the issuer's JWK Set is empty"],
];

const OUTAGES: [string, Behavior][] = [
  ...[301, 302, 400, 401, 403, 429, 500, 502, 503].map((status): [string, Behavior] => [
    String(status),
    { kind: "respond", status, body: "{}" },
  ]),
  ["HTML", { kind: "respond", body: "<html>" }],
  ["an object without keys", { kind: "respond", body: "{}" }],
  ["keys that are no list", { kind: "respond", body: '{"keys":{"length":0}}' }],
  ["no connection", { kind: "down" }],
];

afterEach(restoreClock);

describe("an issuer without keys", () => {
  it.each(NO)("causes 401, and one fetch for two requests: %s", async (_, no, reason) => {
    const issuer = await newIssuer();
    await issuer.respondWith(no);
    for (const outcome of [await save(issuer), await save(issuer)]) await expectUnauthorized(outcome, reason);
    expect(await issuer.fetches()).toBe(1);
  });

  it.each(NO)("loses the keys that it had: %s", async (_, no, reason) => {
    const issuer = await newIssuer();
    await expectSaved(await save(issuer));
    await issuer.respondWith(no);
    advanceClock(JWKS_MAX_AGE_MS);
    expect(await statusAndReason(issuer)).toEqual([401, reason]);
    await issuer.respondWith({ kind: "respond", status: 503, body: "" });
    advanceClock(JWKS_FAILURE_COOLDOWN_MS);
    expect(await statusAndReason(issuer)).toEqual([503, "the issuer's JWKS endpoint responded 503"]);
  });

  it("loses fresh keys too, if a token with an unknown kid reveals it", async () => {
    const issuer = await newIssuer();
    await expectSaved(await save(issuer));
    await issuer.respondWith({ kind: "respond", status: 404, body: "{}" });
    advanceClock(JWKS_UNKNOWN_KID_COOLDOWN_MS);
    const reason = "the issuer's JWKS endpoint responded 404";
    const unknownKid = await attemptSave(issuer.tenant, await issuer.token({}, { kid: "unknown" }));
    expect([unknownKid.response.status, unknownKid.reason]).toEqual([401, reason]);
    expect(await statusAndReason(issuer)).toEqual([401, reason]);
    expect(await issuer.fetches()).toBe(2);
  });

  it("is asked again after the cooldown", async () => {
    const issuer = await newIssuer();
    await issuer.respondWith({ kind: "respond", status: 404, body: "{}" });
    advanceClock(0);
    expect((await save(issuer)).response.status).toBe(401);
    await issuer.publish(issuer.publicJwk);
    advanceClock(JWKS_FAILURE_COOLDOWN_MS - 1);
    expect((await save(issuer)).response.status).toBe(401);
    advanceClock(1);
    await expectSaved(await save(issuer));
    expect(await issuer.fetches()).toBe(2);
  });
});

describe("an issuer that fails", () => {
  it.each(OUTAGES)("keeps its keys in use: %s", async (_, outage) => {
    const issuer = await newIssuer();
    const address = families[0].address(issuer.tenant);
    const read = async () => (await call(address, { token: await issuer.token() })).status;
    expect(await read()).toBe(404);
    await issuer.respondWith(outage);
    advanceClock(JWKS_MAX_AGE_MS);
    expect(await read()).toBe(404);
  });
});

describe("a token for an invented tenant", () => {
  it("gets the same response as a forged token for a real tenant, and the same kind of error in the log", async () => {
    const [real, stranger] = [await newIssuer(), await newIssuer()];
    const invented = `${real.tenant}-invented`;
    const issuerOf = (tenant: string) => real.issuer.replace(real.tenant, tenant);
    const forge = async (tenant: string) => {
      const token = await stranger.token({ iss: issuerOf(tenant) });
      return captureLogEntry(() => call(families[0].address(tenant), { token }));
    };
    const [forReal, forInvented] = [await forge(real.tenant), await forge(invented)];
    expect(await visibleParts(forInvented.response)).toEqual(await visibleParts(forReal.response));
    expect([forReal, forInvented].map(({ entry }) => entry.error)).toEqual(["unauthorized", "unauthorized"]);
  });
});

async function save(issuer: Issuer) {
  return attemptSave(issuer.tenant, await issuer.token());
}

async function statusAndReason(issuer: Issuer): Promise<[number, unknown]> {
  const { response, reason } = await save(issuer);
  return [response.status, reason];
}

async function visibleParts(response: Response): Promise<unknown[]> {
  const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
  return [response.status, headers, await response.text()];
}
