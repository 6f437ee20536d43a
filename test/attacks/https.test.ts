import { describe, expect, it } from "vitest";
import { storedFor } from "../support/attempt.ts";
import { type Call, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { requestsTo, setBehaviour } from "../support/network.ts";
import { logged } from "../support/request-lines.ts";
import { sampleSettings } from "../support/samples.ts";

const REFUSED = {
  message: "Plain http is refused. Use https, and revoke a token that was sent without it.",
  status: "FORBIDDEN",
  subSystem: 8,
};

describe.each(families)("plain http ($family)", ({ address }) => {
  const plain = (tenant: string) => address(tenant).replace("https:", "http:");

  it.each(["GET", "POST", "DELETE"])("is refused for %s with a good token", async (method) => {
    const { tenant, token, fetches } = await newIssuer(undefined, "ES256");
    const body = method === "POST" ? { body: sampleSettings } : {};
    await expectRefused(plain(tenant), { method, token: await token(), ...body });
    expect(await storedFor(tenant)).toBeNull();
    expect(await fetches()).toBe(0);
  });

  it("leaves stored settings alone", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await call(address(tenant), { token: await token(), body: sampleSettings });
    const before = await storedFor(tenant);
    await expectRefused(plain(tenant), { method: "DELETE", token: await token() });
    expect(before).not.toBeNull();
    expect(await storedFor(tenant)).toBe(before);
  });

  it("is refused without a token as with a bad one", async () => {
    const { tenant } = await newIssuer(undefined, "ES256");
    await expectRefused(plain(tenant));
    await expectRefused(plain(tenant), { token: "rubbish" });
  });

  it.each<[string, Call]>([
    ["a method that no route has", { method: "PATCH", body: sampleSettings }],
    ["HTTP's OPTIONS", { method: "OPTIONS" }],
    ["a body that is not JSON", { body: "not JSON" }],
    ["a body that is too large", { body: "x".repeat(20_000) }],
    ["another media type", { body: "host=x", headers: { "Content-Type": "text/plain" } }],
  ])("is refused before anything else is looked at: %s", async (_, more) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectRefused(plain(tenant), { token: await token(), ...more });
    expect(await storedFor(tenant)).toBeNull();
  });

  it.each<[string, Record<string, string>]>([
    ["X-Forwarded-Proto", { "X-Forwarded-Proto": "https" }],
    ["X-Forwarded-Scheme", { "X-Forwarded-Scheme": "https" }],
    ["X-Forwarded-Ssl", { "X-Forwarded-Ssl": "on" }],
    ["Front-End-Https", { "Front-End-Https": "on" }],
    ["Forwarded", { Forwarded: "proto=https" }],
    ["CF-Visitor", { "CF-Visitor": '{"scheme":"https"}' }],
    ["Upgrade-Insecure-Requests", { "Upgrade-Insecure-Requests": "1" }],
  ])("is not made https by %s", async (_, headers) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectRefused(plain(tenant), { token: await token(), headers, body: sampleSettings });
    expect(await storedFor(tenant)).toBeNull();
  });

  it("is refused in the same way while our keys are misconfigured", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectRefused(plain(tenant), { token: await token(), env: { SETTINGS_KEYS: "rubbish" } });
  });

  it("is refused in the same way while the base host is misconfigured", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectRefused(plain(tenant), { token: await token(), env: { HOSTNAME: "" } });
  });
});

describe("plain http", () => {
  it.each([
    "http://example.com/",
    "http://example.com/auth/realms/acme/mail/other",
    "http://acme.example.com/nothing/here",
    "http://a.b.example.com/digitanium/v4/mail/config",
    "http://example.org/",
    "http://acme.example.com:443/digitanium/v4/mail/config",
  ])("is refused at %s too", async (url) => {
    await expectRefused(url);
  });

  it("is refused on the paths of the origin, which never sees it", async () => {
    const url = `http://example.com/auth/realms/acme/account?${crypto.randomUUID()}`;
    await setBehaviour(url, { kind: "answer", body: "a login page" });
    await expectRefused(url, { env: { PASS_THROUGH: "true" } });
    expect(await requestsTo(url)).toEqual([]);
  });

  it("is logged with its reason, and neither token nor path", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const sent = await token();
    const url = families[1].address(tenant).replace("https:", "http:");
    const { line, entry } = await logged(() => call(url, { token: sent }));
    expect(entry).toMatchObject({ status: 403, refusal: "plain_http" });
    expect(line).not.toContain(sent);
    expect(line).not.toContain(tenant);
  });
});

describe("https", () => {
  it.each<[string, number, string]>([
    ["a refusal", 401, families[0].address("acme")],
    ["an unknown path", 404, "https://acme.example.com/nothing/here"],
    ["another host", 404, "https://example.org/"],
  ])("answers %s with Strict-Transport-Security, for no cache to keep", async (_, status, url) => {
    const response = await call(url);
    expect(response.status).toBe(status);
    expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });
});

async function expectRefused(url: string, more: Call = {}): Promise<void> {
  const response = await call(url, more);
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual(REFUSED);
  const names = ["Location", "Strict-Transport-Security", "WWW-Authenticate", "Refresh", "Allow"];
  expect(names.filter((name) => response.headers.has(name))).toEqual([]);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
}
