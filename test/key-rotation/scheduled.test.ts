/// <reference types="vite/types/importMeta.d.ts" />
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { LONG_AGO, passwordOf, storeRecords, tenantNames } from "../support/records.ts";
import { readJson } from "../support/responses.ts";
import { cronTrigger, newRotation, storedAs } from "../support/rotation.ts";
import { sampleSettings } from "../support/samples.ts";

beforeEach(reset);

const WRITE_OUTAGE = "KV PUT failed: 500 Internal Server Error";

describe("the cron trigger", () => {
  it("fires every ten minutes, by wrangler.toml", () => {
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
        cursorSaved: true,
        removable: ["old"],
        advice: ["The key old can be removed from SETTINGS_KEYS."],
      },
    ]);
    expect((await storedAs("acme")).metadata).toMatchObject({ kid: "new" });
  });

  it("gives no advice while a record needs the old key", async () => {
    const { secret, oldKeys } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const { kv } = faultyKv("put", WRITE_OUTAGE, 1, "smtp:");
    const { entries } = await cronTrigger({ SETTINGS_KEYS: secret, SMTP_SETTINGS: kv });
    expect(entries.at(-1)).toMatchObject({ message: "rotation", left: 1, removable: [], advice: [] });
  });

  it("gives no advice if there is only one key", async () => {
    const { secretAfterwards, newKeys } = await newRotation();
    await storeRecords(["acme"], newKeys);
    const { entries } = await cronTrigger({ SETTINGS_KEYS: secretAfterwards });
    expect(entries).toEqual([
      {
        message: "rotation",
        examined: 1,
        resealed: 0,
        failed: 0,
        left: 0,
        cursorSaved: true,
        removable: [],
        advice: [],
      },
    ]);
  });

  it("logs the tenant of each record that fails", async () => {
    const { secret } = await newRotation();
    await env.SMTP_SETTINGS.put("smtp:acme", "broken", { metadata: { kid: "old", updatedAt: LONG_AGO } });
    const { entries } = await cronTrigger({ SETTINGS_KEYS: secret });
    expect(entries).toEqual([
      { message: "record not rotated", tenant: "acme", kid: "old", reason: expect.any(String) },
      expect.objectContaining({ message: "rotation", resealed: 0, failed: 1, left: 1 }),
    ]);
    expect((await storedAs("acme")).value).toBe("broken");
  });

  it("uses the scheduled time, not the time at which it runs", async () => {
    const { secret, oldKeys } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const soonAfter = new Date(Date.parse(LONG_AGO) + 60_000);
    const { entries } = await cronTrigger({ SETTINGS_KEYS: secret }, soonAfter);
    expect(entries).toEqual([expect.objectContaining({ message: "rotation", resealed: 0, left: 1 })]);
    expect((await storedAs("acme")).metadata).toMatchObject({ kid: "old" });
  });

  it("lets the new key alone read, replace and delete the settings afterwards", async () => {
    const ada = await newAdministrator(families[0].address);
    const { secret, secretAfterwards, oldKeys } = await newRotation();
    await storeRecords([ada.tenant], oldKeys);
    await cronTrigger({ SETTINGS_KEYS: secret });
    const afterwards = { env: { SETTINGS_KEYS: secretAfterwards } };
    expect(await readJson(await ada.send(afterwards))).toMatchObject({
      httpStatus: 200,
      body: { settings: { host: "smtp.example.net", password: "**********" }, updatedAt: LONG_AGO },
    });
    expect((await ada.send({ body: sampleSettings, ...afterwards })).status).toBe(200);
    expect((await ada.send({ method: "DELETE", ...afterwards })).status).toBe(200);
  });

  it.each([
    ["SETTINGS_KEYS is missing", { SETTINGS_KEYS: "" }, "SETTINGS_KEYS must be JSON"],
    ["a variable is invalid", { HOSTNAME: "" }, "HOSTNAME must be a host name"],
  ])("logs why, and fails, so that Cloudflare shows the run as failed: %s", async (_, changes, reason) => {
    const { oldKeys } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const before = await storedAs("acme");
    const { error, entries } = await cronTrigger(changes);
    expect(error).toMatchObject({ name: "ConfigError", message: reason });
    expect(entries).toEqual([{ message: "rotation failed", reason }]);
    expect(await storedAs("acme")).toEqual(before);
  });

  it("logs why, and fails, while KV is unavailable", async () => {
    const { secret } = await newRotation();
    const outage = "KV GET failed: 503 Service Unavailable";
    const { kv } = faultyKv("list", outage, 1);
    const { error, entries } = await cronTrigger({ SETTINGS_KEYS: secret, SMTP_SETTINGS: kv });
    expect(error).toMatchObject({ name: "KvError" });
    expect(entries).toEqual([{ message: "rotation failed", reason: outage }]);
  });

  it("never logs a key, a password or a sealed value", async () => {
    const { secret, jwks, oldKeys } = await newRotation();
    await storeRecords(tenantNames(20), oldKeys);
    const { value } = await storedAs("t00000");
    await env.SMTP_SETTINGS.put("smtp:mallory", value ?? "", { metadata: { kid: "old" } });
    const { kv } = faultyKv("put", WRITE_OUTAGE, 3, "smtp:");
    const { lines } = await cronTrigger({ SETTINGS_KEYS: secret, SMTP_SETTINGS: kv });
    expect(lines).toHaveLength(5);
    const secrets = [...jwks.map(({ k }) => k), passwordOf(""), value ?? "", "smtp.example.net"];
    for (const text of secrets) expect(lines.join("\n")).not.toContain(text);
  });
});
