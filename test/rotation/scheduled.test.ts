/// <reference types="vite/types/importMeta.d.ts" />
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { newAdministrator, seen } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { LONG_AGO, passwordOf, storeRecords, tenantNames } from "../support/records.ts";
import { cronTrigger, newRotation, storedAs } from "../support/rotation.ts";
import { sampleSettings } from "../support/samples.ts";

afterEach(reset);

describe("the cron trigger", () => {
  it("is set in wrangler.toml", () => {
    const files = import.meta.glob<string>("../../wrangler.toml", {
      query: "?raw",
      import: "default",
      eager: true,
    });
    expect(Object.values(files).join()).toMatch(/^\[triggers\]\ncrons = \["\*\/10 \* \* \* \*"\]$/m);
  });

  it("rotates, and logs one line with the summary and the advice", async () => {
    const { secret, oldKeys } = await newRotation();
    await storeRecords(["acme", "globex"], oldKeys);
    const { error, entries } = await cronTrigger({ SETTINGS_KEYS: secret });
    expect(error).toBeUndefined();
    expect(entries).toEqual([
      {
        message: "rotation",
        examined: 2,
        resealed: 2,
        failed: 0,
        left: 0,
        progressNoted: true,
        removable: ["old"],
        advice: ["The key old can be removed from SETTINGS_KEYS."],
      },
    ]);
    expect((await storedAs("acme")).metadata).toMatchObject({ kid: "new" });
  });

  it("gives no advice while a record needs the key, and none where there is one key only", async () => {
    const { secret, secretAfterwards, oldKeys } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 1, "smtp:");
    const busy = await cronTrigger({ SETTINGS_KEYS: secret, SMTP_SETTINGS: kv });
    expect(busy.entries.at(-1)).toMatchObject({ message: "rotation", left: 1, removable: [], advice: [] });
    await cronTrigger({ SETTINGS_KEYS: secret });
    const done = await cronTrigger({ SETTINGS_KEYS: secretAfterwards });
    expect(done.entries).toEqual([
      {
        message: "rotation",
        examined: 1,
        resealed: 0,
        failed: 0,
        left: 0,
        progressNoted: true,
        removable: [],
        advice: [],
      },
    ]);
  });

  it("logs each record that failed by its tenant", async () => {
    const { secret } = await newRotation();
    await env.SMTP_SETTINGS.put("smtp:acme", "broken", { metadata: { kid: "old", updatedAt: LONG_AGO } });
    const { entries } = await cronTrigger({ SETTINGS_KEYS: secret });
    expect(entries).toEqual([
      {
        message: "record not rotated",
        tenant: "acme",
        kid: "old",
        reason: expect.any(String),
      },
      expect.objectContaining({ message: "rotation", resealed: 0, failed: 1, left: 1 }),
    ]);
    expect((await storedAs("acme")).value).toBe("broken");
  });

  it("goes by its scheduled time, not by the time it has come to run", async () => {
    const { secret, oldKeys } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const soonAfter = new Date(Date.parse(LONG_AGO) + 60_000);
    const { entries } = await cronTrigger({ SETTINGS_KEYS: secret }, soonAfter);
    expect(entries).toEqual([expect.objectContaining({ message: "rotation", resealed: 0, left: 1 })]);
    expect((await storedAs("acme")).metadata).toMatchObject({ kid: "old" });
  });

  it("leaves settings that are read, saved and deleted as before, by the new key alone", async () => {
    const ada = await newAdministrator(families[0].address);
    const { secret, secretAfterwards, oldKeys } = await newRotation();
    await storeRecords([ada.tenant], oldKeys);
    await cronTrigger({ SETTINGS_KEYS: secret });
    const afterwards = { env: { SETTINGS_KEYS: secretAfterwards } };
    expect(await seen(await ada.send(afterwards))).toMatchObject({
      httpStatus: 200,
      body: { settings: { host: "smtp.example.net", password: "**********" }, updatedAt: LONG_AGO },
    });
    expect((await ada.send({ body: sampleSettings, ...afterwards })).status).toBe(200);
    expect((await ada.send({ method: "DELETE", ...afterwards })).status).toBe(200);
  });
});

describe("a cron trigger that cannot do its work", () => {
  it.each([
    ["SETTINGS_KEYS is missing", { SETTINGS_KEYS: "" }, "SETTINGS_KEYS must be JSON"],
    ["a variable is not valid", { HOSTNAME: "" }, "HOSTNAME must be a host name"],
  ])("logs why, and fails, so that Cloudflare shows the run as failed: %s", async (_, changes, reason) => {
    const { oldKeys } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const before = await storedAs("acme");
    const { error, entries } = await cronTrigger(changes);
    expect(error).toMatchObject({ refusal: { kind: "misconfigured", reason } });
    expect(entries).toEqual([{ message: "rotation failed", reason }]);
    expect(await storedAs("acme")).toEqual(before);
  });

  it("logs why, and fails: KV is down", async () => {
    const { secret } = await newRotation();
    const outage = "KV GET failed: 503 Service Unavailable";
    const { kv } = faultyKv("list", outage, 1);
    const { error, entries } = await cronTrigger({ SETTINGS_KEYS: secret, SMTP_SETTINGS: kv });
    expect(error).toMatchObject({ refusal: { kind: "store_unavailable" } });
    expect(entries).toEqual([{ message: "rotation failed", reason: outage }]);
  });
});

describe("the log of a rotation", () => {
  it("has neither keys nor passwords nor sealed values in it", async () => {
    const { secret, jwks, oldKeys } = await newRotation();
    await storeRecords(tenantNames(20), oldKeys);
    const { value } = await storedAs("t00000");
    await env.SMTP_SETTINGS.put("smtp:mallory", value ?? "", { metadata: { kid: "old" } });
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 3, "smtp:");
    const { lines } = await cronTrigger({ SETTINGS_KEYS: secret, SMTP_SETTINGS: kv });
    expect(lines).toHaveLength(5);
    const secrets = [...jwks.map(({ k }) => k), passwordOf(""), value ?? "", "smtp.example.net"];
    for (const text of secrets) expect(lines.join("\n")).not.toContain(text);
  });
});
