import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json";
import { call } from "../support/client.ts";
import { countingKv } from "../support/counting-kv.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { captureLogEntry } from "../support/log.ts";
import { jsonResponse, readJson } from "../support/responses.ts";

const URL = "https://example.com/digitanium/v4/mail/health";
const { version } = packageJson;
const healthy = jsonResponse(200, "OK", "Tenant Mail can serve.", { version });
const unhealthy = jsonResponse(503, "SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version });

describe("health", () => {
  it("responds 200 with the version, without a token", async () => {
    const response = await call(URL);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await readJson(response)).toEqual(healthy);
  });

  it("responds the same at a tenant's host", async () => {
    expect(await readJson(await call(URL.replace("//", "//acme.")))).toEqual(healthy);
  });

  it("reads KV once, and no tenant's key", async () => {
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await readJson(await call(URL, { env: { SMTP_SETTINGS: kv } }))).toEqual(healthy);
    expect(operations).toEqual(["get health"]);
  });

  it.each<[string, Partial<Env>]>([
    ["SETTINGS_KEYS is missing", { SETTINGS_KEYS: "" }],
    ["SETTINGS_KEYS holds no key", { SETTINGS_KEYS: '{"keys":[]}' }],
    ["a variable is invalid", { ISSUERS: "http://{tenant}.example.com" }],
    ["KV is not bound", { SMTP_SETTINGS: undefined as unknown as KVNamespace }],
  ])("responds 503 without details if %s", async (_, bindings) => {
    const { response, entry } = await captureLogEntry(() => call(URL, { env: bindings }));
    expect(entry).toMatchObject({ status: 503, error: "misconfigured", reason: expect.any(String) });
    await expectUnhealthy(response);
  });

  it("responds 503 without details if KV is unavailable", async () => {
    const { kv, calls } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1);
    const { response, entry } = await captureLogEntry(() => call(URL, { env: { SMTP_SETTINGS: kv } }));
    expect(calls()).toBe(1);
    expect(entry).toMatchObject({ status: 503, error: "store_unavailable" });
    await expectUnhealthy(response);
  });

  it("does not retry a 429 of KV, as the monitor retries", async () => {
    const { kv, calls } = faultyKv("get", "KV GET failed: 429 Too Many Requests", 2);
    expect((await call(URL, { env: { SMTP_SETTINGS: kv } })).status).toBe(503);
    expect(calls()).toBe(1);
  });

  it("rejects plain http", async () => {
    const { httpStatus, body } = await readJson(await call(URL.replace("https:", "http:")));
    expect([httpStatus, body]).toEqual([403, expect.objectContaining({ status: "FORBIDDEN" })]);
  });

  it.each([
    ["POST", URL],
    ["DELETE", URL],
    ["POST", URL.replace("//", "//acme.")],
  ])("rejects %s at %s", async (method, url) => {
    const response = await call(url, { method });
    expect(response.headers.get("Allow")).toBe("GET, HEAD");
    expect(await readJson(response)).toMatchObject({
      httpStatus: 405,
      body: { status: "METHOD_NOT_ALLOWED" },
    });
  });
});

/** Asserts the same body and headers for every cause. */
async function expectUnhealthy(response: Response): Promise<void> {
  expect([...response.headers.keys()].sort()).toEqual([
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cache-control",
    "content-type",
    "strict-transport-security",
    "x-content-type-options",
    "x-request-id",
  ]);
  expect(await readJson(response)).toEqual(unhealthy);
}
