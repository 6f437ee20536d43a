import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_CONTENT_BYTES, MAX_WAITING_MESSAGES } from "../../src/delivery/usage.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const HOUR = 60 * 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

const full = { kind: "outbox_full", details: {} };

/** An outbox in which messages wait for an hour, and one for now. */
async function fullOutbox(reject: Record<string, string> = {}): Promise<{ outbox: TestOutbox; id: string }> {
  const server = await mailServer({ reject });
  const outbox = await newOutbox(server);
  const later = await outbox.submit({ tag: "later" });
  await outbox.database.change("due_at = due_at + 3600000", later);
  await outbox.database.multiply(MAX_WAITING_MESSAGES - 2);
  await outbox.evict();
  const id = await outbox.submit({ expiresIn: 600 });
  await expect(outbox.submit()).rejects.toMatchObject(full);
  return { outbox, id };
}

describe("an outbox with 10,000 waiting messages", () => {
  it("accepts no other, and no batch in part", async () => {
    const { outbox, id } = await fullOutbox();
    await outbox.cancel(id);
    await expect(outbox.submitAll([{}, {}])).rejects.toMatchObject(full);
    await outbox.submitAll([{}]);
    await expect(outbox.submit()).rejects.toMatchObject(full);
    expect(await outbox.database.query("SELECT count(due_at) AS count FROM mail")).toEqual([
      { count: MAX_WAITING_MESSAGES },
    ]);
  });

  it("counts the same after a restart", async () => {
    const { outbox } = await fullOutbox();
    await outbox.evict();
    await expect(outbox.submit()).rejects.toMatchObject(full);
  });

  it("still repeats the result of a known key", async () => {
    const { outbox, id } = await fullOutbox();
    await outbox.cancel(id);
    const keyed = await outbox.submit({}, "key");
    expect(await outbox.submit({}, "key")).toBe(keyed);
  });

  it.each<[string, Record<string, string>]>([
    ["sent", {}],
    ["failed", { recipient: "550 5.1.1 unknown" }],
  ])("accepts another once one is %s", async (state, reject) => {
    const { outbox, id } = await fullOutbox(reject);
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state });
    await outbox.submit();
    await expect(outbox.submit()).rejects.toMatchObject(full);
  });

  it("accepts another once one has expired, although no alarm has run", async () => {
    const { outbox } = await fullOutbox();
    advanceClock(600_000);
    await outbox.submit();
    await expect(outbox.submit()).rejects.toMatchObject(full);
  });

  it("does not queue a failed mail again", async () => {
    const { outbox, id } = await fullOutbox({ recipient: "550 5.1.1 unknown" });
    await outbox.runAlarm();
    await outbox.submit();
    expect(await outbox.retry(id)).toEqual({ kind: "full" });
    expect(await outbox.status(id)).toMatchObject({ state: "failed" });
  });
});

describe("an outbox with 2 GB of content", () => {
  it("accepts no more, even if the messages have failed, until they are purged", async () => {
    const server = await mailServer({ reject: { recipient: "550 5.1.1 unknown" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    await outbox.database.change(`size = ${MAX_CONTENT_BYTES - 10}`, id);
    await outbox.evict();
    await expect(outbox.submit()).rejects.toMatchObject(full);
    advanceClock(7 * 24 * HOUR);
    await outbox.runAlarm();
    await outbox.submit();
  });

  it("counts what waits", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    await outbox.database.change(`size = ${MAX_CONTENT_BYTES - 10}`, id);
    await outbox.evict();
    await expect(outbox.submit()).rejects.toMatchObject(full);
    await outbox.runAlarm();
    await outbox.submit();
  });
});
