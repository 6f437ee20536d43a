import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Outbox } from "../../src/delivery/outbox.ts";
import { listOutboxes } from "../../src/delivery/outbox-entry.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { countingKv } from "../support/counting-kv.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";
import { mailServer } from "../support/smtp/servers.ts";

const DAY = 24 * 60 * 60_000;
const WRITES = /^(put|delete) outbox$/;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

/** The keys that KV lists for an outbox; `undefined` without an entry. */
async function listed({ tenant }: TestOutbox): Promise<readonly string[] | undefined> {
  const { outboxes } = await listOutboxes(env.SMTP_SETTINGS);
  return outboxes.find((outbox) => outbox.tenant === tenant)?.kids;
}

/** What the cron trigger does with an outbox. */
async function visit(outbox: TestOutbox, { hasSettings = true } = {}): Promise<void> {
  await outbox.stub.maintain(hasSettings, await listed(outbox));
}

/** Counts the writes of the entry from now on. */
async function countWrites(outbox: TestOutbox): Promise<() => number> {
  const { kv, operations } = countingKv(env.SMTP_SETTINGS);
  await outbox.replaceBindings({ SMTP_SETTINGS: kv });
  return () => operations.filter((operation) => WRITES.test(operation)).length;
}

/** An outbox with a failed message under the first key, and a newer first key from now on. */
async function rotatedOutbox() {
  const outbox = await newOutbox(await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
  const id = await outbox.submit({}, "key");
  await outbox.runAlarm();
  const { jwks } = await newSettingsKeys("newer");
  const SETTINGS_KEYS = JSON.stringify({ keys: [...jwks, ...JSON.parse(env.SETTINGS_KEYS).keys] });
  await outbox.replaceBindings({ SETTINGS_KEYS });
  return { outbox, id, restart: () => outbox.replaceBindings({ SETTINGS_KEYS }) };
}

describe("the entry of an outbox in KV", () => {
  it("is written with the first message, and names its key", async () => {
    const outbox = await newOutbox(await mailServer());
    expect(await listed(outbox)).toBeUndefined();
    await outbox.submit();
    expect(await listed(outbox)).toEqual(["test-1"]);
  });

  it("is written once, however many messages arrive at once, and later", async () => {
    const outbox = await newOutbox(await mailServer());
    const writes = await countWrites(outbox);
    await Promise.all(Array.from({ length: 20 }, () => outbox.submit()));
    await outbox.submit();
    await visit(outbox);
    expect(writes()).toBe(1);
  });

  it("is there before the message: without it, nothing is accepted", async () => {
    const outbox = await newOutbox(await mailServer());
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 1, "outbox:");
    await outbox.replaceBindings({ SMTP_SETTINGS: kv });
    await expect(outbox.submit()).rejects.toMatchObject({ kind: "store_unavailable" });
    expect(await outbox.states()).toEqual([]);
    await outbox.submit();
    expect(await listed(outbox)).toEqual(["test-1"]);
  });

  it("is not written for a tenant without settings", async () => {
    const outbox = await newOutbox();
    await expect(outbox.submit()).rejects.toMatchObject({ kind: "nothing_stored" });
    expect(await listed(outbox)).toBeUndefined();
  });

  it("names a new key before a retry seals with it, and both while both are needed", async () => {
    const { outbox, id } = await rotatedOutbox();
    expect(await outbox.retry(id)).toMatchObject({ kind: "changed" });
    expect(await listed(outbox)).toEqual(["test-1", "newer"]);
    await visit(outbox);
    // The fingerprint of the idempotency key is of the first one.
    expect(await listed(outbox)).toEqual(["newer", "test-1"]);
  });

  it("is there before a retry seals with a new key: without it, nothing changes", async () => {
    const { outbox, id } = await rotatedOutbox();
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 1, "outbox:");
    await runInDurableObject(outbox.stub, (instance: Outbox) => {
      const { env: bindings } = instance as unknown as { env: Env };
      Object.assign(bindings, { SMTP_SETTINGS: kv });
    });
    expect(await outbox.retry(id)).toMatchObject({ kind: "store_unavailable" });
    expect(await outbox.status(id)).toMatchObject({ state: "failed" });
  });

  it("drops a key as soon as neither content nor an idempotency key needs it", async () => {
    const { outbox, id, restart } = await rotatedOutbox();
    await visit(outbox);
    expect(await listed(outbox)).toEqual(["newer", "test-1"]);
    await outbox.delete(id);
    await visit(outbox);
    expect(await listed(outbox)).toEqual(["newer", "test-1"]);
    advanceClock(7 * DAY);
    await outbox.runAlarm();
    await restart();
    await visit(outbox);
    expect(await listed(outbox)).toEqual(["newer"]);
  });

  it("is deleted once the outbox is empty and the tenant has no settings, and then written anew", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await outbox.runAlarm();
    await visit(outbox, { hasSettings: false });
    expect(await listed(outbox)).toEqual(["test-1"]);
    advanceClock(7 * DAY);
    await outbox.runAlarm();
    await visit(outbox);
    expect(await listed(outbox)).toEqual(["test-1"]);
    await visit(outbox, { hasSettings: false });
    expect(await listed(outbox)).toBeUndefined();
    await outbox.submit();
    expect(await listed(outbox)).toEqual(["test-1"]);
  });

  it("stays if settings were saved that KV does not show yet", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submit();
    await outbox.runAlarm();
    advanceClock(7 * DAY);
    await outbox.runAlarm();
    await outbox.notify({ host: "127.0.0.1", from: "a@example.com" });
    await visit(outbox, { hasSettings: false });
    expect(await listed(outbox)).toEqual(["test-1"]);
  });

  it("is written for an outbox from before there were entries, with every key that it may need", async () => {
    const { outbox, id } = await rotatedOutbox();
    await outbox.database.query("UPDATE mail SET kid = NULL, fingerprint = NULL WHERE id = ?", id);
    await env.SMTP_SETTINGS.delete(`outbox:${outbox.tenant}`);
    await outbox.database.deleteKey("kids");
    await visit(outbox);
    expect(await listed(outbox)).toEqual(["newer", "test-1"]);
  });

  it("is written again if somebody has deleted it", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await env.SMTP_SETTINGS.delete(`outbox:${outbox.tenant}`);
    await visit(outbox);
    expect(await listed(outbox)).toEqual(["test-1"]);
  });

  it("does not exist for an outbox that was never used", async () => {
    const outbox = await newOutbox(await mailServer());
    await visit(outbox);
    expect(await listed(outbox)).toBeUndefined();
    expect(await outbox.database.keys()).toEqual([]);
  });

  it("costs a visit nothing but a line in the log while KV is unavailable", async () => {
    const { outbox } = await rotatedOutbox();
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 1, "outbox:");
    await outbox.replaceBindings({ SMTP_SETTINGS: kv });
    await env.SMTP_SETTINGS.delete(`outbox:${outbox.tenant}`);
    const { lines } = await captureLog(() => visit(outbox));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        message: "outbox entry not written",
        tenant: outbox.tenant,
        reason: "KV PUT failed: 500 Internal Server Error",
      },
    ]);
    await visit(outbox);
    expect(await listed(outbox)).toContain("test-1");
  });
});
