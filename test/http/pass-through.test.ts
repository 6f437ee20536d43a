import { describe, expect, it } from "vitest";
import { type Call, call } from "../support/client.ts";
import { newIssuer } from "../support/issuer.ts";
import type { Behaviour } from "../support/issuer-network.ts";
import { requestsTo, setBehaviour } from "../support/network.ts";

const on = { PASS_THROUGH: "true" };
const OUR_HEADERS = ["X-Request-Id", "Strict-Transport-Security", "X-Content-Type-Options", "Cache-Control"];

describe("a request for the origin, with PASS_THROUGH on", () => {
  it("is handed on with its method, query, headers and body", async () => {
    const url = await origin("/auth/realms/acme/protocol/openid-connect/token", { query: "a=%20b&a=c&d" });
    const headers = { Authorization: "Basic YTpi", Cookie: "s=1", "Content-Type": "text/x", "X-Custom": "1" };
    await call(url, { method: "PUT", headers, body: "grant_type=password\r\n\u0000ü", env: on });
    const [seen, ...more] = await requestsTo(url);
    expect(more).toEqual([]);
    expect(seen).toMatchObject({ method: "PUT", body: "grant_type=password\r\n\u0000ü" });
    expect(seen?.headers).toMatchObject({
      authorization: "Basic YTpi",
      cookie: "s=1",
      "content-type": "text/x",
      "x-custom": "1",
    });
  });

  it("is answered with the origin's own status, headers and body, and none of our headers", async () => {
    const headers = { "Content-Type": "text/html", "X-Origin": "keycloak", "Set-Cookie": "s=1; Path=/" };
    const url = await origin("/auth/realms/acme/account", { status: 418, body: "<h1>Tea</h1>", headers });
    const response = await call(url, { env: on });
    expect(response.status).toBe(418);
    expect(await response.text()).toBe("<h1>Tea</h1>");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html",
      "x-origin": "keycloak",
      "set-cookie": "s=1; Path=/",
    });
    expect(OUR_HEADERS.filter((name) => response.headers.has(name))).toEqual([]);
  });

  it("keeps the origin's own caching and transport headers", async () => {
    const headers = { "Cache-Control": "public, max-age=60", "Strict-Transport-Security": "max-age=1" };
    const response = await call(await origin("/auth/resources/logo.png", { headers }), { env: on });
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=60");
    expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=1");
  });

  it("is given the origin's redirect, which is not followed on its behalf", async () => {
    const there = await origin("/auth/realms/acme/there");
    const url = await origin("/auth/realms/acme/here", { status: 302, headers: { Location: there } });
    const response = await call(url, { env: on });
    expect(response.status).toBe(302);
    expect(response.headers.get("Location")).toBe(there);
    expect(await requestsTo(there)).toEqual([]);
  });

  it.each(["GET", "POST", "DELETE", "PATCH", "OPTIONS"])("may have the method %s", async (method) => {
    const url = await origin("/auth/realms/acme/any");
    expect((await call(url, { method, env: on })).status).toBe(200);
    expect(await requestsTo(url)).toMatchObject([{ method }]);
  });

  it.each([
    "/",
    "/auth/realms/acme/mailbox",
    "/auth/realms/acme/email/setup",
    "/auth/realms/acme/account/mail/setup",
    "/auth/realms/mail/setup",
    "/auth/admin/realms/acme/mail/setup",
    "/digitanium/v4/mailbox",
  ])("may be for %s, which is no mail path of the base host", async (path) => {
    const url = await origin(path);
    expect(await (await call(url, { env: on })).text()).toBe("the origin");
    expect(await requestsTo(url)).toHaveLength(1);
  });

  it.each<[string, Partial<Env>]>([
    ["SETTINGS_KEYS", { SETTINGS_KEYS: "rubbish" }],
    ["ISSUERS", { ISSUERS: "" }],
    ["JWKS", { JWKS: "rubbish" }],
  ])("goes on while %s is malformed", async (_, broken) => {
    const url = await origin("/auth/realms/acme/account");
    const response = await call(url, { env: { ...on, ...broken } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("the origin");
  });

  it("needs no token, and none that it carries is looked at", async () => {
    const { jwksUri, fetches, token } = await newIssuer(undefined, "ES256");
    const before = await fetches();
    await call(jwksUri.replace("certs", "userinfo"), { token: await token(), env: on });
    expect(await fetches()).toBe(before);
  });
});

describe("a request that is for us", () => {
  it.each([
    "/auth/realms/acme/mail/setup",
    "/auth/realms/acme/mail/test",
    "/digitanium/v4/mail/config",
    "/digitanium/v4/mail/later",
    "/auth/realms/acme/mail/later",
    "/auth/realms/acme/mail/",
    "/auth/realms/acme/mail",
    "/auth/realms/ACME/mail/setup",
    "/auth/realms/a_b/mail/setup",
    "/auth/realms/acme/%6Dail/setup",
    "/auth/realms/a%2Fb/mail/setup",
  ])("is never handed on: %s", async (path) => {
    const url = await origin(path);
    const response = await call(url, { body: { password: "app-password" }, env: on });
    expect([401, 404]).toContain(response.status);
    expect(await response.json()).toMatchObject({ subSystem: 8 });
    expect(await requestsTo(url)).toEqual([]);
  });

  it("is never handed on with a wrong method", async () => {
    const url = await origin("/auth/realms/acme/mail/setup");
    expect((await call(url, { method: "PATCH", env: on })).status).toBe(405);
    expect(await requestsTo(url)).toEqual([]);
  });

  it.each([
    "https://acme.example.com/other",
    "https://acme.example.com/auth/realms/acme/account",
    "https://example.org/auth/realms/acme/account",
    "https://example.com.evil.test/auth/realms/acme/account",
  ])("and one for another host are never handed on: %s", async (address) => {
    const url = `${address}?${crypto.randomUUID()}`;
    await setBehaviour(url, { kind: "answer", body: "the origin" });
    await expectOurNotFound(url, on);
  });

  it("is not told from others with PASS_THROUGH off: nothing is handed on", async () => {
    await expectOurNotFound(await origin("/auth/realms/acme/account"), { PASS_THROUGH: "false" });
  });

  it.each(["", "false"])(
    "is not told from others with PASS_THROUGH %j: nothing is handed on",
    async (PASS_THROUGH) => {
      await expectOurNotFound(await origin("/auth/realms/acme/account"), { PASS_THROUGH });
    },
  );

  it.each(["1", "yes", "TRUE"])("is a misconfiguration with PASS_THROUGH %j", async (PASS_THROUGH) => {
    const url = await origin("/auth/realms/acme/account");
    expect((await call(url, { env: { PASS_THROUGH } })).status).toBe(503);
    expect(await requestsTo(url)).toEqual([]);
  });
});

async function expectOurNotFound(url: string, changes: NonNullable<Call["env"]>): Promise<void> {
  const response = await call(url, { env: changes });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ status: "NOT_FOUND", subSystem: 8 });
  expect(await requestsTo(url)).toEqual([]);
}

/** Puts something at an address of the base host that no other test uses. */
async function origin(
  path: string,
  { query = "", ...answer }: Partial<Behaviour & { kind: "answer" }> & { query?: string } = {},
): Promise<string> {
  const url = `https://example.com${path}?${query}&test=${crypto.randomUUID()}`;
  await setBehaviour(url, { body: "the origin", ...answer, kind: "answer" });
  return url;
}
