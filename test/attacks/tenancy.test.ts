import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Call, call } from "../support/client.ts";
import { newIssuer, newTenant } from "../support/issuer.ts";
import { sampleSettings } from "../support/samples.ts";

const SSMS_PATH = "/digitanium/v4/mail/config";

beforeEach(reset);

describe("headers that name a host", () => {
  const claims = (host: string): [string, Record<string, string>][] => [
    ["Host", { Host: host }],
    ["X-Forwarded-Host", { "X-Forwarded-Host": host }],
    ["X-Original-Host", { "X-Original-Host": host }],
    ["Forwarded", { Forwarded: `host=${host};proto=https` }],
    ["X-Original-URL", { "X-Original-URL": `https://${host}${SSMS_PATH}` }],
    ["X-Rewrite-URL", { "X-Rewrite-URL": SSMS_PATH }],
    ["X-Tenant-Id", { "X-Tenant-Id": host.split(".")[0] ?? "" }],
  ];

  it.each(claims("acme.example.com"))("do not make a tenant of the base host: %s", async (_, headers) => {
    await expectNotFound(`https://example.com${SSMS_PATH}`, (await newIssuer("acme", "ES256")).token, {
      headers,
    });
  });

  it.each(claims("mallory.example.com"))("do not lead to another tenant: %s", async (_, headers) => {
    const mallory = await newIssuer("mallory", "ES256");
    const token = await mallory.token();
    const response = await call(ssms("victim"), { token, headers, body: sampleSettings });
    expect(response.status).toBe(401);
    expect(await storedKeys()).toEqual([]);
  });

  it.each(claims("other.example.com"))("do not lead away from the URL's tenant: %s", async (_, headers) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const response = await call(ssms(tenant), { token: await token(), headers, body: sampleSettings });
    expect(response.status).toBe(200);
    expect(await storedKeys()).toEqual([`smtp:${tenant}`]);
  });

  it("do not make https plain: X-Forwarded-Proto", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const headers = { "X-Forwarded-Proto": "http" };
    const response = await call(ssms(tenant), { token: await token(), headers, body: sampleSettings });
    expect(response.status).toBe(200);
    expect(await storedKeys()).toEqual([`smtp:${tenant}`]);
  });
});

describe("hosts of no tenant (SSMS)", () => {
  it.each<[string, string]>([
    ["the base host itself", "example.com"],
    ["two labels", "a.b.example.com"],
    ["an A-label (punycode)", "xn--mnchen-3ya.example.com"],
    ["a label in another script", "münchen.example.com"],
    ["a label of 64 characters", `${"a".repeat(64)}.example.com`],
    ["a label with an underscore", "a_b.example.com"],
    ["a label that begins with a hyphen", "-acme.example.com"],
    ["a label that ends with a hyphen", "acme-.example.com"],
    ["an empty label", ".example.com"],
    ["the base host as a suffix without its dot", "acmeexample.com"],
    ["the base host in the middle", "acme.example.com.evil.test"],
    ["two trailing dots", "acme.example.com.."],
    ["another host", "acme.example.org"],
    ["an address", "192.0.2.1"],
  ])("answer 404: %s", async (_, host) => {
    await expectNotFound(`https://${host}${SSMS_PATH}`, (await newIssuer("acme", "ES256")).token);
  });
});

describe("spellings of a tenant's host (SSMS)", () => {
  it.each<[string, (tenant: string) => string]>([
    ["capital letters, as DNS has none", (tenant) => `${tenant.toUpperCase()}.EXAMPLE.com`],
    ["one trailing dot, as DNS has it", (tenant) => `${tenant}.example.com.`],
    ["a port", (tenant) => `${tenant}.example.com:8443`],
    ["full-width letters and dots, which a URL folds", (tenant) => `${tenant}．ｅxample。com`],
  ])("lead to the tenant: %s", async (_, host) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const url = `https://${host(tenant)}${SSMS_PATH}`;
    expect((await call(url, { token: await token(), body: sampleSettings })).status).toBe(200);
    expect(await storedKeys()).toEqual([`smtp:${tenant}`]);
  });

  it.each(["a", "0", "a".repeat(63), "a--b", "1-2"])("may have the label %s", async (label) => {
    const { token } = await newIssuer(label, "ES256");
    expect((await call(ssms(label), { token: await token(), body: sampleSettings })).status).toBe(200);
    expect(await storedKeys()).toEqual([`smtp:${label}`]);
  });
});

describe("path segments of no tenant (SHIFT)", () => {
  it.each<[string, string]>([
    ["a capital letter", "Acme"],
    ["an encoded capital letter", "%41cme"],
    ["an A-label (punycode)", "xn--mnchen-3ya"],
    ["another script", "münchen"],
    ["64 characters", "a".repeat(64)],
    ["an encoded slash", "acme%2Fx"],
    ["a doubly encoded letter", "%2561cme"],
    ["an encoded NUL", "acme%00"],
    ["an encoded line feed", "acme%0A"],
    ["an encoded space", "acme%20"],
    ["half an escape", "acme%"],
    ["an escape that is not UTF-8", "%ff"],
    ["a dot", "acme.x"],
    ["an encoded detour", "%2e%2e"],
    ["a path parameter", "acme;x=1"],
    ["a hyphen at its start", "-acme"],
    ["a hyphen at its end", "acme-"],
    ["nothing", ""],
    ["a placeholder", "{tenant}"],
    ["a wildcard", "*"],
    ["a name that every object inherits", "__proto__"],
  ])("answer 404: %s", async (_, segment) => {
    await expectNotFound(shift(segment), (await newIssuer("acme", "ES256")).token);
  });

  it("stand for the same tenant when a small letter is encoded (RFC 3986 section 6.2.2.2)", async () => {
    const [{ token }, other] = [await newIssuer("acme", "ES256"), await newIssuer(undefined, "ES256")];
    const refused = await call(shift("%61cme"), { token: await other.token(), body: sampleSettings });
    expect(refused.status).toBe(401);
    const saved = await call(shift("%61cme"), { token: await token(), body: sampleSettings });
    expect(saved.status).toBe(200);
    expect(await storedKeys()).toEqual(["smtp:acme"]);
  });
});

describe("one family's path at the other's host", () => {
  it("answers 404: a tenant's host with its own SHIFT path", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectNotFound(`https://${tenant}.example.com/auth/realms/${tenant}/mail/setup`, token);
  });

  it("answers 404: a tenant's host with another tenant's SHIFT path", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectNotFound(`https://${newTenant()}.example.com/auth/realms/${tenant}/mail/setup`, token);
  });

  it.each<[string, (tenant: string) => string]>([
    ["setup in the SSMS path", (tenant) => `https://${tenant}.example.com/digitanium/v4/mail/setup`],
    ["config in the SHIFT path", (tenant) => `https://example.com/auth/realms/${tenant}/mail/config`],
    ["a slash at the end", (tenant) => `${ssms(tenant)}/`],
    ["a doubled slash", (tenant) => `https://${tenant}.example.com//digitanium/v4/mail/config`],
    ["a capital letter", (tenant) => `https://${tenant}.example.com/digitanium/V4/mail/config`],
    ["another version", (tenant) => `https://${tenant}.example.com/digitanium/v5/mail/config`],
    ["something before it", (tenant) => `https://${tenant}.example.com/x/digitanium/v4/mail/config`],
    ["something after it", (tenant) => `${ssms(tenant)}/x`],
  ])("answers 404: %s", async (_, url) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectNotFound(url(tenant), token);
  });
});

function ssms(tenant: string): string {
  return `https://${tenant}.example.com${SSMS_PATH}`;
}

function shift(segment: string): string {
  return `https://example.com/auth/realms/${segment}/mail/setup`;
}

async function expectNotFound(url: string, token: () => Promise<string>, more: Call = {}): Promise<void> {
  const response = await call(url, { token: await token(), body: sampleSettings, ...more });
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    message: "There is nothing at this address.",
    status: "NOT_FOUND",
    subSystem: 8,
  });
  expect(await storedKeys()).toEqual([]);
}

async function storedKeys(): Promise<string[]> {
  return (await env.SMTP_SETTINGS.list()).keys.map(({ name }) => name);
}
