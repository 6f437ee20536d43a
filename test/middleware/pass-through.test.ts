import { describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { newIssuer } from "../support/issuer.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { expectNotForwarded, origin } from "../support/origin.ts";

const on = { PASS_THROUGH: "true" };
const OWN_HEADERS = ["X-Request-Id", "Strict-Transport-Security", "X-Content-Type-Options", "Cache-Control"];

describe("a request for the origin, with PASS_THROUGH on", () => {
  it("reaches the origin with its method, query, headers and body", async () => {
    const url = await origin("/auth/realms/acme/protocol/openid-connect/token", { query: "a=%20b&a=c&d" });
    const headers = { Authorization: "Basic YTpi", Cookie: "s=1", "Content-Type": "text/x", "X-Custom": "1" };
    await call(url, { method: "PUT", headers, body: "grant_type=password\r\n\u0000ü", env: on });
    const [received, ...others] = await requestsTo(url);
    expect(others).toEqual([]);
    expect(received).toMatchObject({ method: "PUT", body: "grant_type=password\r\n\u0000ü" });
    expect(received?.headers).toMatchObject({
      authorization: "Basic YTpi",
      cookie: "s=1",
      "content-type": "text/x",
      "x-custom": "1",
    });
  });

  it("gets the origin's status, headers and body, and none of the Worker's headers", async () => {
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
    expect(OWN_HEADERS.filter((name) => response.headers.has(name))).toEqual([]);
  });

  it("gets the origin's own Cache-Control and Strict-Transport-Security", async () => {
    const headers = { "Cache-Control": "public, max-age=60", "Strict-Transport-Security": "max-age=1" };
    const response = await call(await origin("/auth/resources/logo.png", { headers }), { env: on });
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=60");
    expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=1");
  });

  it("gets the origin's redirect, which the Worker does not follow", async () => {
    const target = await origin("/auth/realms/acme/there");
    const url = await origin("/auth/realms/acme/here", { status: 302, headers: { Location: target } });
    const response = await call(url, { env: on });
    expect(response.status).toBe(302);
    expect(response.headers.get("Location")).toBe(target);
    expect(await requestsTo(target)).toEqual([]);
  });

  it.each(["GET", "POST", "DELETE", "PATCH", "OPTIONS"])("may have the method %s", async (method) => {
    const url = await origin("/auth/realms/acme/any");
    expect((await call(url, { method, env: on })).status).toBe(200);
    expect(await requestsTo(url)).toMatchObject([{ method }]);
  });

  it.each([
    "/",
    "/auth/realms/acme/mailbox",
    "/auth/realms/acme/mailbox;mail/setup",
    "/auth/realms/acme/email/setup",
    "/auth/realms/acme/account/mail/setup",
    "/auth/realms/acme/account%2Fmail/setup",
    "/auth/realms/mail/setup",
    "/auth/admin/realms/acme/mail/setup",
    "/digitanium/v4/mailbox",
    "/digitanium/v4%2E0/mail",
    "/mail/auth/realms/acme",
  ])("may have the path %s, which only resembles a mail path", async (path) => {
    const url = await origin(path);
    expect(await (await call(url, { env: on })).text()).toBe("the origin");
    expect(await requestsTo(url)).toHaveLength(1);
  });

  it.each([
    "/auth/realms/acme/protocol/openid-connect/auth;v=1//x%2Fy%20z",
    "/auth/realms/acme/%6Cogin/%C3%BC%ff%zz%",
    "/auth/realms/acme/a%252Fb%2525/..;/c",
    "/auth/realms/acme/account/%0D%0A",
    "/auth//realms/acme/Account/",
  ])("keeps the spelling of its path: %s", async (path) => {
    const url = await origin(path);
    expect(new URL(url).pathname).toBe(path);
    expect(await (await call(url, { env: on })).text()).toBe("the origin");
    expect(await requestsTo(url)).toHaveLength(1);
  });

  it.each<[string, Partial<Env>]>([
    ["SETTINGS_KEYS", { SETTINGS_KEYS: "rubbish" }],
    ["ISSUERS", { ISSUERS: "" }],
    ["JWKS", { JWKS: "rubbish" }],
  ])("reaches the origin even if %s is invalid", async (_, broken) => {
    const url = await origin("/auth/realms/acme/account");
    const response = await call(url, { env: { ...on, ...broken } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("the origin");
  });

  it("is forwarded without verifying its token", async () => {
    const { fetches, token } = await newIssuer();
    const url = await origin("/auth/realms/acme/protocol/openid-connect/userinfo");
    const response = await call(url, { token: await token(), env: on });
    expect(await response.text()).toBe("the origin");
    expect(await fetches()).toBe(0);
  });
});

describe("a request for the Worker, with PASS_THROUGH on", () => {
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
  ])("never reaches the origin at the mail path %s", async (path) => {
    const url = await origin(path);
    const response = await call(url, { body: { password: "app-password" }, env: on });
    expect([401, 404]).toContain(response.status);
    expect(await response.json()).toMatchObject({ subSystem: 8 });
    expect(await requestsTo(url)).toEqual([]);
  });

  it("never reaches the origin with a wrong method", async () => {
    const url = await origin("/auth/realms/acme/mail/setup");
    expect((await call(url, { method: "PATCH", env: on })).status).toBe(405);
    expect(await requestsTo(url)).toEqual([]);
  });

  it.each([
    "https://acme.example.com/other",
    "https://acme.example.com/auth/realms/acme/account",
    "https://example.org/auth/realms/acme/account",
    "https://example.com.evil.test/auth/realms/acme/account",
  ])("never reaches the origin at another host: %s", async (address) => {
    const url = `${address}?${crypto.randomUUID()}`;
    await setBehavior(url, { kind: "respond", body: "the origin" });
    await expectNotForwarded(url, on);
  });
});

describe("PASS_THROUGH", () => {
  it.each(["", "false"])("forwards nothing if it is %j", async (PASS_THROUGH) => {
    await expectNotForwarded(await origin("/auth/realms/acme/account"), { PASS_THROUGH });
  });

  it.each(["1", "yes", "TRUE"])("is invalid if it is %j", async (PASS_THROUGH) => {
    const url = await origin("/auth/realms/acme/account");
    expect((await call(url, { env: { PASS_THROUGH } })).status).toBe(503);
    expect(await requestsTo(url)).toEqual([]);
  });
});
