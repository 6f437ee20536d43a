import { afterEach, describe, expect, it, vi } from "vitest";
import { type CallOptions, call } from "../support/client.ts";
import { restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { readHistory } from "../support/history.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLogEntry } from "../support/log.ts";
import { type JsonResponse, jsonResponse, readJson, saved } from "../support/responses.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient, type SmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const ALLOW_PRIVATE_HOSTS = "true";
const MINUTE_MS = 60_000;

const masked = localSettings(1, { password: "**********" });

const tooManyTests = jsonResponse(
  429,
  "TOO_MANY_REQUESTS",
  "Too many tests for this tenant. Try again in a minute.",
);

const limiterUnavailable = jsonResponse(
  503,
  "SERVICE_UNAVAILABLE",
  "The rate limiter is unavailable. Try again in a few seconds.",
);

/** A rate limiter with a fixed outcome, and the keys it was asked for. */
function fixedLimiter(outcome: () => Promise<{ success: boolean }>) {
  const keys: unknown[] = [];
  const TEST_RATE_LIMITER: RateLimit = {
    async limit({ key }) {
      keys.push(key);
      return outcome();
    },
  };
  return { bindings: { ALLOW_PRIVATE_HOSTS, TEST_RATE_LIMITER }, keys };
}

const allowing = () => fixedLimiter(async () => ({ success: true }));
const rejecting = () => fixedLimiter(async () => ({ success: false }));
const failing = () => fixedLimiter(() => Promise.reject(new Error("the limiter is down")));

/** The addresses of a tenant's test route, of both families. */
function testAddresses({ ada }: SmtpTestClient): string[] {
  return families.map(({ testAddress }) => testAddress(ada.tenant));
}

/** Tests settings 11 times, in both families by turns. The limiter of Miniflare counts by the minute of the clock. */
async function testElevenTimes() {
  for (;;) {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([{ send: "554 5.3.2 closed\r\n" }]);
    const [ssms = "", shift = ""] = testAddresses(client);
    const options: CallOptions = {
      token: client.ada.token,
      body: { mode: "probe", settings: localSettings(server.port) },
      env: { ALLOW_PRIVATE_HOSTS },
    };
    const minute = Math.floor(Date.now() / MINUTE_MS);
    const responses: Response[] = [];
    for (let index = 0; index < 11; index++) responses.push(await call(index % 2 ? ssms : shift, options));
    if (minute === Math.floor(Date.now() / MINUTE_MS)) return { client, server, responses };
  }
}

afterEach(restoreClock);

describe("the rate limit of tests", () => {
  it("is 10 a minute for each tenant, whatever the family, and nobody is contacted beyond it", async () => {
    const { client, server, responses } = await testElevenTimes();
    const last = responses.pop();
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(502));
    expect(Number(last?.headers.get("Retry-After"))).toBeLessThanOrEqual(60);
    expect(await readJson(last ?? Response.error())).toEqual(tooManyTests);
    expect((await server.state()).connections).toBe(10);
    expect((await readHistory(client.ada)).entries).toHaveLength(10);
    const other = await newSmtpTestClient(families[0]);
    expect((await other.test({ settings: localSettings(server.port) })).httpStatus).toBe(502);
  });

  it.each(families)("counts a test by its tenant ($family)", async (family) => {
    const client = await newSmtpTestClient(family);
    const { port } = await mailServer();
    const { bindings, keys } = allowing();
    const response = await client.test({ mode: "probe", settings: localSettings(port) }, { env: bindings });
    expect(response.httpStatus).toBe(200);
    expect(keys).toEqual([client.ada.tenant]);
  });

  it.each(families)("counts a save with verify=true by its tenant ($family)", async (family) => {
    const client = await newSmtpTestClient(family);
    const { port } = await mailServer();
    const { bindings, keys } = allowing();
    expect(await client.save(localSettings(port), "?verify=true", { env: bindings })).toEqual(saved);
    expect(keys).toEqual([client.ada.tenant]);
  });

  it.each([
    [60, 0],
    [60, 1],
    [18, 42_000],
    [1, 59_999],
  ])("says that %i s are left of the minute of the clock, %i ms after its begin", async (seconds, passed) => {
    const client = await newSmtpTestClient(families[0]);
    vi.setSystemTime(Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS + passed);
    const response = await call(client.testUrl, {
      token: client.ada.token,
      body: { mode: "probe", settings: localSettings(1) },
      env: rejecting().bindings,
    });
    expect(response.headers.get("Retry-After")).toBe(String(seconds));
  });

  it("rejects a save with verify=true beyond it, and changes nothing", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    const { bindings } = rejecting();
    const { response, entry } = await captureLogEntry(() =>
      call(`${client.ada.url}?verify=true`, {
        token: client.ada.token,
        body: localSettings(server.port),
        env: bindings,
      }),
    );
    expect(response.headers.get("Retry-After")).toMatch(/^[1-9]\d?$/);
    expect(await readJson(response)).toEqual(tooManyTests);
    expect(entry).toMatchObject({ status: 429, error: "too_many_tests" });
    expect((await server.state()).connections).toBe(0);
    expect(await client.ada.sealed()).toBeNull();
    expect((await readHistory(client.ada)).entries).toEqual([]);
  });

  it.each<[string, number, (client: SmtpTestClient) => Promise<CallOptions> | CallOptions]>([
    ["an invalid field", 400, () => ({ body: { mode: "prob" } })],
    ["an unknown field", 400, () => ({ body: { hots: "x" } })],
    ["a probe with a recipient", 400, () => ({ body: { mode: "probe", to: "a@example.com" } })],
    ["no recipient", 400, () => ({ body: { settings: localSettings(25_000) } })],
    ["a masked password that is not stored", 400, () => ({ body: { settings: masked } })],
    [
      "a private host",
      400,
      () => ({ body: { settings: localSettings(1) }, env: { ALLOW_PRIVATE_HOSTS: "false" } }),
    ],
    ["nothing stored", 404, () => ({ body: {} })],
    ["another media type", 415, () => ({ body: "{}", headers: { "Content-Type": "text/plain" } })],
    ["an invalid token", 401, () => ({ token: "x.y.z" })],
    ["no role", 403, async ({ ada }) => ({ token: await ada.realm.token({ resource_access: {} }) })],
  ])("does not count a test with %s (%d)", async (_, status, optionsFor) => {
    const client = await newSmtpTestClient(families[0]);
    const { bindings, keys } = allowing();
    const { env: changes, ...options } = await optionsFor(client);
    const request = { method: "POST", token: client.ada.token, ...options, env: { ...bindings, ...changes } };
    expect((await call(client.testUrl, request)).status).toBe(status);
    expect(keys).toEqual([]);
  });

  it.each<[string, number, CallOptions]>([
    ["an invalid field", 400, { body: { ...localSettings(1), port: 25 } }],
    ["a masked password that is not stored", 400, { body: masked }],
    ["another version", 412, { body: localSettings(1), headers: { "If-Match": '"other"' } }],
  ])("does not count a save with verify=true and %s (%d)", async (_, status, options) => {
    const { ada } = await newSmtpTestClient(families[0]);
    const { bindings, keys } = allowing();
    const request = { token: ada.token, ...options, env: bindings };
    expect((await call(`${ada.url}?verify=true`, request)).status).toBe(status);
    expect(keys).toEqual([]);
  });

  it.each(families)("does not apply to saves, reads, deletes and history ($family)", async (family) => {
    const { ada } = await newSmtpTestClient(family);
    const { bindings, keys } = rejecting();
    const statuses: number[] = [];
    for (let index = 0; index < 12; index++) {
      statuses.push((await ada.send({ body: localSettings(1), env: bindings })).status);
    }
    statuses.push((await ada.send({ env: bindings })).status);
    statuses.push((await call(`${ada.url}/history`, { token: ada.token, env: bindings })).status);
    statuses.push((await ada.send({ method: "DELETE", env: bindings })).status);
    expect(statuses).toEqual(Array(15).fill(200));
    expect(keys).toEqual([]);
  });
});

describe("a rate limiter that fails", () => {
  it("causes 503 for a test, and nobody is contacted", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    const { response, entry } = await captureLogEntry(() =>
      call(client.testUrl, {
        token: client.ada.token,
        body: { mode: "probe", settings: localSettings(server.port) },
        env: failing().bindings,
      }),
    );
    expect(response.headers.get("Retry-After")).toBe("2");
    expect(await readJson(response)).toEqual(limiterUnavailable);
    expect(entry).toMatchObject({ error: "rate_limiter_unavailable", reason: "the limiter is down" });
    expect((await server.state()).connections).toBe(0);
    expect((await readHistory(client.ada)).entries).toEqual([]);
  });

  it("causes 503 for a save with verify=true, which changes nothing", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    const before = await client.ada.sealed();
    const settings = localSettings(server.port, { password: "another" });
    const response: JsonResponse = await client.save(settings, "?verify=true", { env: failing().bindings });
    expect(response).toEqual(limiterUnavailable);
    expect((await server.state()).connections).toBe(0);
    expect(await client.ada.sealed()).toBe(before);
  });

  it("does not affect a plain save", async () => {
    const client = await newSmtpTestClient(families[0]);
    expect(await client.save(localSettings(1), "", { env: failing().bindings })).toEqual(saved);
  });
});
