import { describe, expect, it } from "vitest";
import { type CallOptions, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { captureLogEntry } from "../support/log.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { sampleSettings } from "../support/samples.ts";
import { storedFor } from "../support/save-attempt.ts";

const PLAIN_HTTP = {
  message: "Plain http is rejected. Use https, and revoke any token that was sent without it.",
  status: "FORBIDDEN",
  subSystem: 8,
};

describe.each(families)("plain http ($family)", ({ address }) => {
  const plain = (tenant: string) => address(tenant).replace("https:", "http:");

  it.each(["GET", "POST", "DELETE"])("is rejected for %s with a valid token", async (method) => {
    const { tenant, token, fetches } = await newIssuer();
    const body = method === "POST" ? { body: sampleSettings } : {};
    await expectRejected(plain(tenant), { method, token: await token(), ...body });
    expect(await storedFor(tenant)).toBeNull();
    expect(await fetches()).toBe(0);
  });

  it("leaves stored settings unchanged", async () => {
    const { tenant, token } = await newIssuer();
    await call(address(tenant), { token: await token(), body: sampleSettings });
    const before = await storedFor(tenant);
    await expectRejected(plain(tenant), { method: "DELETE", token: await token() });
    expect(before).not.toBeNull();
    expect(await storedFor(tenant)).toBe(before);
  });

  it.each<[string, CallOptions]>([
    ["no token", {}],
    ["an invalid token", { token: "rubbish" }],
  ])("is rejected with %s in the same way", async (_, options) => {
    const { tenant } = await newIssuer();
    await expectRejected(plain(tenant), options);
  });

  it.each<[string, CallOptions]>([
    ["a method of no route", { method: "PATCH", body: sampleSettings }],
    ["OPTIONS", { method: "OPTIONS" }],
    ["a body that is not JSON", { body: "not JSON" }],
    ["a body that is too large", { body: "x".repeat(20_000) }],
    ["another media type", { body: "host=x", headers: { "Content-Type": "text/plain" } }],
  ])("is rejected before any other check: %s", async (_, options) => {
    const { tenant, token } = await newIssuer();
    await expectRejected(plain(tenant), { token: await token(), ...options });
    expect(await storedFor(tenant)).toBeNull();
  });

  it.each<[string, Partial<Env>]>([
    ["SETTINGS_KEYS", { SETTINGS_KEYS: "rubbish" }],
    ["HOSTNAME", { HOSTNAME: "" }],
  ])("is rejected in the same way with invalid %s", async (_, bindings) => {
    const { tenant, token } = await newIssuer();
    await expectRejected(plain(tenant), { token: await token(), env: bindings });
  });
});

describe("plain http", () => {
  it.each<[string, Record<string, string>]>([
    ["X-Forwarded-Proto", { "X-Forwarded-Proto": "https" }],
    ["X-Forwarded-Scheme", { "X-Forwarded-Scheme": "https" }],
    ["X-Forwarded-Ssl", { "X-Forwarded-Ssl": "on" }],
    ["Front-End-Https", { "Front-End-Https": "on" }],
    ["Forwarded", { Forwarded: "proto=https" }],
    ["CF-Visitor", { "CF-Visitor": '{"scheme":"https"}' }],
    ["Upgrade-Insecure-Requests", { "Upgrade-Insecure-Requests": "1" }],
  ])("does not become https by %s", async (_, headers) => {
    const { tenant, token } = await newIssuer();
    for (const { address } of families) {
      const url = address(tenant).replace("https:", "http:");
      await expectRejected(url, { token: await token(), headers, body: sampleSettings });
    }
    expect(await storedFor(tenant)).toBeNull();
  });

  it.each([
    "http://example.com/",
    "http://example.com/auth/realms/acme/mail/other",
    "http://acme.example.com/nothing/here",
    "http://a.b.example.com/digitanium/v4/mail/config",
    "http://example.org/",
    "http://acme.example.com:443/digitanium/v4/mail/config",
  ])("is rejected at %s too", async (url) => {
    await expectRejected(url);
  });

  it("never reaches the origin", async () => {
    const url = `http://example.com/auth/realms/acme/account?${crypto.randomUUID()}`;
    await setBehavior(url, { kind: "respond", body: "a login page" });
    await expectRejected(url, { env: { PASS_THROUGH: "true" } });
    expect(await requestsTo(url)).toEqual([]);
  });

  it("is logged with its reason, without token and path", async () => {
    const { tenant, token } = await newIssuer();
    const sent = await token();
    const url = families[1].address(tenant).replace("https:", "http:");
    const { line, entry } = await captureLogEntry(() => call(url, { token: sent }));
    expect(entry).toMatchObject({ status: 403, error: "plain_http" });
    expect(line).not.toContain(sent);
    expect(line).not.toContain(tenant);
  });
});

describe("https", () => {
  it.each<[string, number, string]>([
    ["a rejected token", 401, families[0].address("acme")],
    ["an unknown path", 404, "https://acme.example.com/nothing/here"],
    ["another host", 404, "https://example.org/"],
  ])("sends Strict-Transport-Security and no-store with %s", async (_, status, url) => {
    const response = await call(url);
    expect(response.status).toBe(status);
    expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });
});

async function expectRejected(url: string, options: CallOptions = {}): Promise<void> {
  const response = await call(url, options);
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual(PLAIN_HTTP);
  const names = ["Location", "Strict-Transport-Security", "WWW-Authenticate", "Refresh", "Allow"];
  expect(names.filter((name) => response.headers.has(name))).toEqual([]);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
}
