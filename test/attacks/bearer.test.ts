import { describe, expect, it } from "vitest";
import { type Attempt, attempt, expectSaved, expectUnauthorized, storedFor } from "../support/attempt.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { type Issuer, newIssuer } from "../support/issuer.ts";
import { logged } from "../support/request-lines.ts";
import { sampleSettings } from "../support/samples.ts";

describe("the Authorization header (RFC 6750 section 2.1)", () => {
  it.each(["Bearer", "bearer", "BEARER"])(
    "may spell the scheme %s (RFC 9110 section 11.1)",
    async (scheme) => {
      const { tenant, token } = await newIssuer(undefined, "ES256");
      await expectSaved(await attemptWith(tenant, { Authorization: `${scheme} ${await token()}` }));
    },
  );

  it("must be there, and its absence is answered without an error code (RFC 6750 section 3.1)", async () => {
    const { tenant } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(await attemptWith(tenant, {}), "no bearer token", "Bearer");
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    "Basic YWRhOnNlY3JldA==",
    "Digest username=ada",
    "Bearers x",
    "Bearer\tx",
  ])("carries no bearer token as %j", async (Authorization) => {
    const { tenant } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(await attemptWith(tenant, { Authorization }), "no bearer token", "Bearer");
  });

  it("carries no token where the scheme is missing", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const response = await attemptWith(tenant, { Authorization: await token() });
    await expectUnauthorized(response, "no bearer token", "Bearer");
  });

  it("does not let a good token pass as the password of Basic", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const Authorization = `Basic ${btoa(`ada:${await token()}`)}`;
    await expectUnauthorized(await attemptWith(tenant, { Authorization }), "no bearer token", "Bearer");
  });

  it.each<[string, (good: string, bad: string) => string]>([
    ["the good one first", (good, bad) => `Bearer ${good} ${bad}`],
    ["the good one last", (good, bad) => `Bearer ${bad} ${good}`],
    ["as two headers", (good, bad) => `Bearer ${good}, Bearer ${bad}`],
    ["the same twice", (good) => `Bearer ${good} ${good}`],
  ])("must not carry two tokens: %s", async (_, header) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const Authorization = header(await token(), await token({ jti: "other" }));
    await expectUnauthorized(await attemptWith(tenant, { Authorization }), "more than one token");
  });

  it.each([
    "a",
    "a.b",
    "a.b.c",
    "..",
    "e30.e30.e30",
    "a.b.c.d.e",
    "null",
    "undefined",
    "%00",
    "bnVsbA.bnVsbA.",
  ])("must not carry the rubbish %j", async (token) => {
    const { tenant, fetches } = await newIssuer(undefined, "ES256");
    const result = await attempt(tenant, token);
    expect(["not a JWT", "alg is not allowed"]).toContain(result.reason);
    await expectUnauthorized(result, String(result.reason));
    expect(await fetches()).toBe(0);
  });
});

describe("tokens in other places", () => {
  it.each<[string, (token: string) => { query?: string; headers?: Record<string, string> }]>([
    ["the query", (token) => ({ query: `?access_token=${token}` })],
    ["a cookie", (token) => ({ headers: { Cookie: `access_token=${token}; KEYCLOAK_IDENTITY=${token}` } })],
    ["X-Access-Token", (token) => ({ headers: { "X-Access-Token": token } })],
    ["Proxy-Authorization", (token) => ({ headers: { "Proxy-Authorization": `Bearer ${token}` } })],
    ["X-Forwarded-Access-Token", (token) => ({ headers: { "X-Forwarded-Access-Token": token } })],
  ])("are not looked for in %s", async (_, place) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const { query = "", headers = {} } = place(await token());
    await expectUnauthorized(await attemptWith(tenant, headers, query), "no bearer token", "Bearer");
  });

  it("are not looked for in the body", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const body = { ...sampleSettings, access_token: await token() };
    const response = await call(families[0].address(tenant), { body });
    expect(response.status).toBe(401);
    expect(await storedFor(tenant)).toBeNull();
  });
});

describe("the length of a token", () => {
  it("may be 16 KiB", async () => {
    const realm = await newIssuer(undefined, "ES256");
    await expectSaved(await attempt(realm.tenant, await tokenOfLength(realm, 16 * 1024)));
  });

  it("must not be more, and costs no look at the keys then", async () => {
    const realm = await newIssuer(undefined, "ES256");
    const token = `${await tokenOfLength(realm, 16 * 1024)}A`;
    await expectUnauthorized(await attempt(realm.tenant, token), "token is too long");
    expect(await realm.fetches()).toBe(0);
  });
});

describe("a 401", () => {
  it("is the same to the last header whatever is wrong with the token", async () => {
    const realm = await newIssuer(undefined, "ES256");
    const stranger = await newIssuer(undefined, "ES256");
    const tokens = [
      "rubbish",
      await realm.token({ exp: 1 }),
      await realm.token({ typ: "ID" }),
      await realm.token({}, { kid: "unknown" }),
      await realm.token({}, { crit: ["b64"], b64: true }),
      await stranger.token(),
      await stranger.token({ iss: realm.issuer }, { kid: `${realm.tenant}-1` }),
    ];
    const answers = [];
    for (const token of tokens)
      answers.push(await visibleParts((await attempt(realm.tenant, token)).response));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("HTTP 401 Unauthorized.");
  });
});

async function attemptWith(tenant: string, headers: Record<string, string>, query = ""): Promise<Attempt> {
  const address = `${families[0].address(tenant)}${query}`;
  const { response, entry } = await logged(() => call(address, { headers, body: sampleSettings }));
  return { tenant, response, reason: entry.reason };
}

/** Fills header and claims up until the token is exactly that long: base64url alone leaves lengths out. */
async function tokenOfLength({ token }: Issuer, length: number): Promise<string> {
  for (const inHeader of [0, 1, 2]) {
    const header = { filler: "x".repeat(inHeader) };
    const missing = Math.floor(((length - (await token({ filler: "" }, header)).length) * 3) / 4);
    for (const inClaims of [missing - 1, missing, missing + 1]) {
      const filled = await token({ filler: "x".repeat(inClaims) }, header);
      if (filled.length === length) return filled;
    }
  }
  throw new Error("no filler gives this length");
}

async function visibleParts(response: Response): Promise<string> {
  const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
  return JSON.stringify([response.status, headers, await response.text()]);
}
