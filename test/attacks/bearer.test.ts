import { describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { type Issuer, newIssuer } from "../support/issuer.ts";
import { captureLogEntry } from "../support/log.ts";
import { sampleSettings } from "../support/samples.ts";
import {
  attemptSave,
  expectSaved,
  expectUnauthorized,
  type SaveAttempt,
  storedFor,
} from "../support/save-attempt.ts";

describe("the Authorization header (RFC 6750 section 2.1)", () => {
  it.each(["Bearer", "bearer", "BEARER"])("accepts the scheme %s (RFC 9110 section 11.1)", async (scheme) => {
    const { tenant, token } = await newIssuer();
    await expectSaved(await attemptWith(tenant, { Authorization: `${scheme} ${await token()}` }));
  });

  it("gets a challenge without an error code if it is missing (RFC 6750 section 3.1)", async () => {
    const { tenant } = await newIssuer();
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
  ])("has no bearer token if it is %j", async (Authorization) => {
    const { tenant } = await newIssuer();
    await expectUnauthorized(await attemptWith(tenant, { Authorization }), "no bearer token", "Bearer");
  });

  it("has no bearer token without a scheme", async () => {
    const { tenant, token } = await newIssuer();
    const response = await attemptWith(tenant, { Authorization: await token() });
    await expectUnauthorized(response, "no bearer token", "Bearer");
  });

  it("has no bearer token if a valid one is the password of Basic", async () => {
    const { tenant, token } = await newIssuer();
    const Authorization = `Basic ${btoa(`ada:${await token()}`)}`;
    await expectUnauthorized(await attemptWith(tenant, { Authorization }), "no bearer token", "Bearer");
  });

  it.each<[string, (valid: string, other: string) => string]>([
    ["the valid one first", (valid, other) => `Bearer ${valid} ${other}`],
    ["the valid one last", (valid, other) => `Bearer ${other} ${valid}`],
    ["in two headers", (valid, other) => `Bearer ${valid}, Bearer ${other}`],
    ["the same twice", (valid) => `Bearer ${valid} ${valid}`],
  ])("rejects two tokens: %s", async (_, header) => {
    const { tenant, token } = await newIssuer();
    const Authorization = header(await token(), await token({ exp: 1 }));
    await expectUnauthorized(await attemptWith(tenant, { Authorization }), "more than one token");
  });

  it("rejects a token that is not a JWT, without a fetch", async () => {
    const { tenant, fetches } = await newIssuer();
    await expectUnauthorized(await attemptSave(tenant, "rubbish"), "token is not a JWT");
    expect(await fetches()).toBe(0);
  });
});

describe("a token elsewhere", () => {
  it.each<[string, (token: string) => { query?: string; headers?: Record<string, string> }]>([
    ["the query", (token) => ({ query: `?access_token=${token}` })],
    ["a cookie", (token) => ({ headers: { Cookie: `access_token=${token}; KEYCLOAK_IDENTITY=${token}` } })],
    ["X-Access-Token", (token) => ({ headers: { "X-Access-Token": token } })],
    ["Proxy-Authorization", (token) => ({ headers: { "Proxy-Authorization": `Bearer ${token}` } })],
    ["X-Forwarded-Access-Token", (token) => ({ headers: { "X-Forwarded-Access-Token": token } })],
  ])("is ignored in %s", async (_, place) => {
    const { tenant, token } = await newIssuer();
    const { query = "", headers = {} } = place(await token());
    await expectUnauthorized(await attemptWith(tenant, headers, query), "no bearer token", "Bearer");
  });

  it("is ignored in the body", async () => {
    const { tenant, token } = await newIssuer();
    const body = { ...sampleSettings, access_token: await token() };
    const response = await call(families[0].address(tenant), { body });
    expect(response.status).toBe(401);
    expect(await storedFor(tenant)).toBeNull();
  });
});

describe("the length of a token", () => {
  it("may be 16 KiB", async () => {
    const realm = await newIssuer();
    await expectSaved(await attemptSave(realm.tenant, await tokenOfLength(realm, 16 * 1024)));
  });

  it("is rejected without a fetch if it is greater", async () => {
    const realm = await newIssuer();
    const token = `${await tokenOfLength(realm, 16 * 1024)}A`;
    await expectUnauthorized(await attemptSave(realm.tenant, token), "token is too long");
    expect(await realm.fetches()).toBe(0);
  });
});

describe("a 401", () => {
  it("is identical for every invalid token, headers included", async () => {
    const realm = await newIssuer();
    const stranger = await newIssuer();
    const tokens = [
      "rubbish",
      await realm.token({ exp: 1 }),
      await realm.token({ typ: "ID" }),
      await realm.token({}, { kid: "unknown" }),
      await realm.token({}, { crit: ["b64"], b64: true }),
      await stranger.token(),
      await stranger.token({ iss: realm.issuer }, { kid: realm.kid }),
    ];
    const responses = new Set<string>();
    for (const token of tokens) {
      responses.add(await visibleParts((await attemptSave(realm.tenant, token)).response));
    }
    expect([...responses]).toEqual([expect.stringContaining("HTTP 401 Unauthorized.")]);
  });
});

async function attemptWith(
  tenant: string,
  headers: Record<string, string>,
  query = "",
): Promise<SaveAttempt> {
  const address = `${families[0].address(tenant)}${query}`;
  const { response, entry } = await captureLogEntry(() => call(address, { headers, body: sampleSettings }));
  return { tenant, response, reason: entry.reason };
}

/** Fills header and claims until the token has exactly this length: base64url of the claims alone skips some. */
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
