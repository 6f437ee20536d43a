import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type CallOptions, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { type Issuer, newIssuer, newTenant } from "../support/issuer.ts";
import { type JsonResponse, notFound, readJson, saved, unauthorized } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const SSMS_PATH = "/digitanium/v4/mail/config";
const [{ address: ssms }, { address: shift }] = families;

// test/http/tenant-id.test.ts holds the table of tenant ids.
describe("a header that names a host", () => {
  const headersFor = (host: string): [string, Record<string, string>][] => [
    ["Host", { Host: host }],
    ["X-Forwarded-Host", { "X-Forwarded-Host": host }],
    ["X-Original-Host", { "X-Original-Host": host }],
    ["Forwarded", { Forwarded: `host=${host};proto=https` }],
    ["X-Original-URL", { "X-Original-URL": `https://${host}${SSMS_PATH}` }],
    ["X-Rewrite-URL", { "X-Rewrite-URL": SSMS_PATH }],
    ["X-Tenant-Id", { "X-Tenant-Id": host.split(".")[0] ?? "" }],
  ];

  it.each(headersFor("acme.example.com"))(
    "does not turn the base host into a tenant: %s",
    async (_, headers) => {
      await expectNotFound(`https://example.com${SSMS_PATH}`, { headers });
    },
  );

  it.each(headersFor("mallory.example.com"))("does not lead to another tenant: %s", async (_, headers) => {
    const mallory = await newIssuer("mallory");
    const { response, operations } = await save(ssms("victim"), { token: await mallory.token(), headers });
    expect(response).toEqual(unauthorized);
    expect(operations).toEqual([]);
  });

  it.each(headersFor("other.example.com"))(
    "does not lead away from the URL's tenant: %s",
    async (_, headers) => {
      const realm = await newIssuer();
      await expectSaved(realm, ssms(realm.tenant), { headers });
    },
  );

  it("does not turn https into plain http: X-Forwarded-Proto", async () => {
    const realm = await newIssuer();
    await expectSaved(realm, ssms(realm.tenant), { headers: { "X-Forwarded-Proto": "http" } });
  });
});

describe("the host of an SSMS request", () => {
  it.each<[string, string]>([
    ["the base host itself", "example.com"],
    ["two labels", "a.b.example.com"],
    ["an A-label (RFC 5890)", "xn--mnchen-3ya.example.com"],
    ["a label in another script", "münchen.example.com"],
    ["a label with an underscore", "a_b.example.com"],
    ["an empty label", ".example.com"],
    ["the base host without a dot before it", "acmeexample.com"],
    ["the base host in the middle", "acme.example.com.evil.test"],
    ["two trailing dots", "acme.example.com.."],
    ["another base host", "acme.example.org"],
    ["an IP address", "192.0.2.1"],
  ])("names no tenant: %s", async (_, host) => {
    await expectNotFound(`https://${host}${SSMS_PATH}`);
  });

  it.each<[string, (tenant: string) => string]>([
    ["capital letters, which DNS ignores", (tenant) => `${tenant.toUpperCase()}.EXAMPLE.com`],
    ["one trailing dot, as in DNS", (tenant) => `${tenant}.example.com.`],
    ["a port", (tenant) => `${tenant}.example.com:8443`],
    ["full-width letters and dots, which URLs fold", (tenant) => `${tenant}．ｅxample。com`],
  ])("names the tenant in another spelling: %s", async (_, host) => {
    const realm = await newIssuer();
    await expectSaved(realm, `https://${host(realm.tenant)}${SSMS_PATH}`);
  });

  it("may hold a label of 63 characters", async () => {
    const tenant = newTenant();
    const realm = await newIssuer(tenant.padEnd(63, "0"));
    await expectSaved(realm, ssms(realm.tenant));
  });
});

describe("the path of a SHIFT request", () => {
  it.each<[string, string]>([
    ["another script", "münchen"],
    ["an encoded slash", "acme%2Fx"],
    ["a doubly encoded letter", "%2561cme"],
    ["an encoded NUL", "acme%00"],
    ["an encoded line feed", "acme%0A"],
    ["an encoded space", "acme%20"],
    ["half an escape", "acme%"],
    ["an escape that is not UTF-8", "%ff"],
    ["encoded dots", "%2e%2e"],
    ["a path parameter", "acme;x=1"],
    ["an empty segment", ""],
  ])("names no tenant: %s", async (_, segment) => {
    await expectNotFound(shift(segment));
  });

  it("names the same tenant with an encoded small letter (RFC 3986 section 6.2.2.2)", async () => {
    const [realm, other] = [await newIssuer(), await newIssuer()];
    const url = shift(realm.tenant.replace(/^t/, "%74"));
    const { response, operations } = await save(url, { token: await other.token() });
    expect(response).toEqual(unauthorized);
    expect(operations).toEqual([]);
    await expectSaved(realm, url);
  });
});

describe("an address of neither family", () => {
  it.each<[string, (tenant: string) => string]>([
    ["its own SHIFT path on a tenant's host", (t) => `https://${t}.example.com/auth/realms/${t}/mail/setup`],
    [
      "another tenant's SHIFT path on a tenant's host",
      (t) => `https://${newTenant()}.example.com/auth/realms/${t}/mail/setup`,
    ],
    ["setup in the SSMS path", (t) => `https://${t}.example.com/digitanium/v4/mail/setup`],
    ["config in the SHIFT path", (t) => `https://example.com/auth/realms/${t}/mail/config`],
    ["a slash at the end", (t) => `${ssms(t)}/`],
    ["a doubled slash", (t) => `https://${t}.example.com//digitanium/v4/mail/config`],
    ["a capital letter", (t) => `https://${t}.example.com/digitanium/V4/mail/config`],
    ["another version", (t) => `https://${t}.example.com/digitanium/v5/mail/config`],
    ["a segment before the path", (t) => `https://${t}.example.com/x/digitanium/v4/mail/config`],
    ["a segment after the path", (t) => `${ssms(t)}/x`],
  ])("responds 404: %s", async (_, url) => {
    const { tenant, token } = await newIssuer();
    await expectNotFound(url(tenant), { token: await token() });
  });
});

/** Saves the sample, and lists the KV operations of the request. */
async function save(
  url: string,
  options: CallOptions,
): Promise<{ response: JsonResponse; operations: string[] }> {
  const operations: string[] = [];
  const kv = interceptedKv(env.SMTP_SETTINGS, (operation, key) => operations.push(`${operation} ${key}`));
  const response = await call(url, { body: sampleSettings, ...options, env: { SMTP_SETTINGS: kv } });
  return { response: await readJson(response), operations };
}

async function expectNotFound(url: string, options: CallOptions = {}): Promise<void> {
  const token = options.token ?? (await (await newIssuer("acme")).token());
  const { response, operations } = await save(url, { token, ...options });
  expect(response).toEqual(notFound);
  expect(operations).toEqual([]);
}

async function expectSaved({ tenant, token }: Issuer, url: string, options: CallOptions = {}): Promise<void> {
  const { response, operations } = await save(url, { token: await token(), ...options });
  expect(response).toEqual(saved);
  expect(operations).toEqual([
    `get smtp:${tenant}`,
    `put smtp:${tenant}`,
    expect.stringContaining(`put history:${tenant}:`),
  ]);
}
