import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../src/index.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { faultyKv, TOO_MANY_REQUESTS } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { captureLog } from "../support/log.ts";
import { deleted, readJson, saved } from "../support/responses.ts";
import { skipRetryWaits } from "../support/retry-waits.ts";
import { sampleSettings } from "../support/samples.ts";

const OUTAGE = "KV PUT failed: 500 Internal Server Error";

let ada: Administrator;
beforeEach(async () => {
  ada = await newAdministrator(families[0].address);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("history that cannot be written", () => {
  it("does not affect a save or its response", async () => {
    const { kv, calls } = faultyKv("put", OUTAGE, 1, "history:");
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(1);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
    expect((await readHistory(ada)).entries).toEqual([]);
  });

  it("does not affect a delete or its response", async () => {
    await ada.save(sampleSettings);
    const { kv } = faultyKv("put", OUTAGE, 1, "history:");
    const response = await ada.send({ method: "DELETE", env: { SMTP_SETTINGS: kv } });
    expect(await readJson(response)).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
  });

  it("is logged with request, tenant and action, without secrets", async () => {
    const { kv } = faultyKv("put", OUTAGE, 1, "history:");
    const { result: response, lines } = await captureLog(() =>
      ada.send({ body: sampleSettings, env: { SMTP_SETTINGS: kv } }),
    );
    const requestId = response.headers.get("X-Request-Id");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toContainEqual({
      message: "history not written",
      requestId,
      tenant: ada.tenant,
      action: "saved",
      reason: OUTAGE,
    });
    expect(entries).toContainEqual(expect.objectContaining({ message: "request", requestId, status: 200 }));
    expect(entries).toHaveLength(2);
    for (const secret of [sampleSettings.password, ada.token]) expect(lines.join()).not.toContain(secret);
  });

  it("is retried after a 429", async () => {
    const waits = skipRetryWaits();
    const { kv, calls } = faultyKv("put", TOO_MANY_REQUESTS, 1, "history:");
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(2);
    expect(waits).toEqual([400]);
    expect((await readHistory(ada)).entries).toHaveLength(1);
  });
});

describe("history that is slow to write", () => {
  it("does not delay the response", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, (operation, key) =>
      operation === "put" && key.startsWith("history:") ? released : undefined,
    );
    const context = createExecutionContext();
    const response = await worker.fetch(requestOf("DELETE"), { ...env, SMTP_SETTINGS }, context);
    expect(await readJson(response)).toEqual(deleted);
    expect((await readHistory(ada)).entries).toEqual([]);
    release();
    await waitOnExecutionContext(context);
    expect((await readHistory(ada)).entries).toHaveLength(1);
  });
});

describe("a client that disconnects", () => {
  it("still leaves an entry, because history is registered before the save begins", async () => {
    const registered: Promise<unknown>[] = [];
    const context = createExecutionContext();
    vi.spyOn(context, "waitUntil").mockImplementation((work) => {
      registered.push(work);
    });
    let registeredBeforeSave = 0;
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, (operation, key) => {
      if (operation === "put" && key.startsWith("smtp:")) registeredBeforeSave = registered.length;
    });
    const request = requestOf("POST", JSON.stringify(sampleSettings));
    await worker.fetch(request, { ...env, SMTP_SETTINGS }, context);
    // The history, and the settings for the outbox.
    expect(registeredBeforeSave).toBe(2);
    await Promise.all(registered);
    expect((await readHistory(ada)).entries).toMatchObject([{ action: "saved" }]);
  });
});

function requestOf(method: string, body?: string): Request<unknown, IncomingRequestCfProperties> {
  const headers = { Authorization: `Bearer ${ada.token}`, "Content-Type": "application/json" };
  return new Request(ada.url, { method, headers, ...(body === undefined ? {} : { body }) });
}
