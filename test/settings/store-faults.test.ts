import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { faultyKv, TOO_MANY_REQUESTS } from "../support/faulty-kv.ts";
import { captureLogEntry } from "../support/log.ts";
import { jsonResponse, readJson, saved } from "../support/responses.ts";
import { skipRetryWaits } from "../support/retry-waits.ts";
import { sampleSettings } from "../support/samples.ts";

const OUTAGE = "KV GET failed: 500 Internal Server Error";
const ALWAYS = Number.POSITIVE_INFINITY;

const storeUnavailable = jsonResponse(
  503,
  "SERVICE_UNAVAILABLE",
  "The store is unavailable. Try again in a few seconds.",
);

const save = { method: "POST", body: sampleSettings };

let ada: Administrator;
beforeEach(async () => {
  ada = await newAdministrator(families[0].address);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("KV that responds 429", () => {
  it("delays a save, which then succeeds", async () => {
    const waits = skipRetryWaits();
    const { kv, calls } = faultyKv("put", TOO_MANY_REQUESTS, 1, "smtp:");
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(2);
    expect(waits).toEqual([400]);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });

  it.each([
    ["put", save],
    ["delete", { method: "DELETE" }],
  ] as const)("causes a 503 after some seconds (%s), and nothing changes", async (operation, request) => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const waits = skipRetryWaits();
    const { kv, calls } = faultyKv(operation, TOO_MANY_REQUESTS, ALWAYS);
    const { response, entry } = await captureLogEntry(() =>
      ada.send({ ...request, env: { SMTP_SETTINGS: kv } }),
    );
    expect(waits).toEqual([400, 1_100, 1_600]);
    expect(calls()).toBe(4);
    expect(response.headers.get("Retry-After")).toBe("2");
    expect(await readJson(response)).toEqual(storeUnavailable);
    expect(entry).toMatchObject({ error: "store_unavailable", reason: TOO_MANY_REQUESTS });
    expect(await ada.sealed()).toBe(before);
  });
});

describe("KV that fails", () => {
  it.each([
    ["get", { method: "GET" }],
    ["put", save],
    ["delete", { method: "DELETE" }],
  ] as const)("causes a 503 at once (%s), and nothing changes", async (operation, request) => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const { kv, calls } = faultyKv(operation, OUTAGE, ALWAYS);
    const { response, entry } = await captureLogEntry(() =>
      ada.send({ ...request, env: { SMTP_SETTINGS: kv } }),
    );
    expect(calls()).toBe(1);
    expect(response.headers.get("Retry-After")).toBe("2");
    expect(await readJson(response)).toEqual(storeUnavailable);
    expect(entry).toMatchObject({ status: 503, error: "store_unavailable", reason: OUTAGE });
    expect(await ada.sealed()).toBe(before);
  });

  it("causes a 503 if a save needs the stored password, and nothing changes", async () => {
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const { kv } = faultyKv("get", OUTAGE, 1);
    const masked = { ...sampleSettings, password: "**********" };
    expect(await ada.save(masked, { env: { SMTP_SETTINGS: kv } })).toEqual(storeUnavailable);
    expect(await ada.sealed()).toBe(before);
  });

  it("does not prevent a save with a password, which needs nothing that is stored", async () => {
    const { kv, calls } = faultyKv("get", OUTAGE, ALWAYS);
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(1);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });
});
