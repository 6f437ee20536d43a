import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json";
import { seen } from "../support/administrator.ts";
import { answer } from "../support/answers.ts";
import { call } from "../support/client.ts";
import { countingKv } from "../support/counting-kv.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { logged } from "../support/request-lines.ts";

const URL = "https://example.com/digitanium/v4/mail/health";
const healthy = answer(200, "OK", "Tenant Mail can serve.", { version: packageJson.version });

describe("health", () => {
  it("is 200 with the version, without a token", async () => {
    const response = await call(URL);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await seen(response)).toEqual(healthy);
  });

  it("is told at a tenant's host as well", async () => {
    expect(await seen(await call(URL.replace("//", "//acme.")))).toEqual(healthy);
  });

  it("takes one read of KV, of no tenant's key", async () => {
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await seen(await call(URL, { env: { SMTP_SETTINGS: kv } }))).toEqual(healthy);
    expect(operations).toEqual(["get health"]);
  });

  it.each<[string, Partial<Env>]>([
    ["SETTINGS_KEYS is missing", { SETTINGS_KEYS: "" }],
    ["SETTINGS_KEYS holds no key", { SETTINGS_KEYS: '{"keys":[]}' }],
    ["a variable is not valid", { ISSUERS: "http://{tenant}.example.com" }],
    ["KV is not bound", { SMTP_SETTINGS: undefined as unknown as KVNamespace }],
  ])("is 503 where %s, and tells no detail", async (_, changes) => {
    const { response, entry } = await logged(() => call(URL, { env: changes }));
    expect(entry).toMatchObject({ refusal: "misconfigured", reason: expect.any(String) });
    await expectVerdict(response);
  });

  it("is 503 where KV does not answer, and tells no detail", async () => {
    const { kv, calls } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1);
    const { response, entry } = await logged(() => call(URL, { env: { SMTP_SETTINGS: kv } }));
    expect(calls()).toBe(1);
    expect(entry).toMatchObject({ refusal: "store_unavailable" });
    await expectVerdict(response);
  });

  it("is 503 at once where KV asks for patience, as whoever asks will ask again", async () => {
    const { kv, calls } = faultyKv("get", "KV GET failed: 429 Too Many Requests", 2);
    expect((await call(URL, { env: { SMTP_SETTINGS: kv } })).status).toBe(503);
    expect(calls()).toBe(1);
  });

  it("is 403 over plain http", async () => {
    const { httpStatus, body } = await seen(await call(URL.replace("https:", "http:")));
    expect([httpStatus, body]).toEqual([403, expect.objectContaining({ status: "FORBIDDEN" })]);
  });

  it.each([
    ["POST", URL],
    ["DELETE", URL],
    ["POST", URL.replace("//", "//acme.")],
  ])("is 405 for %s at %s", async (method, url) => {
    const response = await call(url, { method });
    expect(response.headers.get("Allow")).toBe("GET, HEAD");
    expect(await seen(response)).toMatchObject({ httpStatus: 405, body: { status: "METHOD_NOT_ALLOWED" } });
  });
});

/** Whatever the cause: the same body, and no header that another cause does not have. */
async function expectVerdict(response: Response): Promise<void> {
  const { version } = packageJson;
  expect([...response.headers.keys()].sort()).toEqual([
    "cache-control",
    "content-type",
    "strict-transport-security",
    "x-content-type-options",
    "x-request-id",
  ]);
  expect(await seen(response)).toEqual(
    answer(503, "SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version }),
  );
}
