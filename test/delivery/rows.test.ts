import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const DAY = 24 * 60 * 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

/**
 * Counts the rows that Cloudflare bills: rows and index entries of SQLite, keys, and alarms.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
async function countRows(outbox: TestOutbox): Promise<() => number> {
  let rows = 0;
  await runInDurableObject(outbox.stub, (_, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    vi.spyOn(storage.sql, "exec").mockImplementation((statement: string, ...values: unknown[]) => {
      const cursor = exec(statement, ...values);
      // A statement has written its rows once its results are read.
      const results = cursor.toArray();
      rows += cursor.rowsWritten;
      return Object.assign(cursor, { toArray: () => results, one: () => results[0] });
    });
    const { kv } = storage;
    const [put, remove] = [kv.put.bind(kv), kv.delete.bind(kv)];
    vi.spyOn(kv, "put").mockImplementation((key, value) => {
      rows++;
      put(key, value);
    });
    vi.spyOn(kv, "delete").mockImplementation((key) => {
      rows++;
      return remove(key);
    });
    const setAlarm = storage.setAlarm.bind(storage);
    vi.spyOn(storage, "setAlarm").mockImplementation((time) => {
      rows++;
      return setAlarm(time);
    });
  });
  return () => rows;
}

/** An outbox whose tables exist: creating them happens once. */
async function usedOutbox() {
  const server = await mailServer();
  const outbox = await newOutbox(server);
  await outbox.submit();
  await outbox.runAlarm();
  advanceClock(DAY);
  return { server, outbox };
}

describe("the rows that a message writes, purge and alarms included,", () => {
  it.each<[string, number, (outbox: TestOutbox) => Promise<unknown>]>([
    ["alone", 1, (outbox) => outbox.submit()],
    ["with others", 50, (outbox) => Promise.all(Array.from({ length: 50 }, () => outbox.submit()))],
    [
      "with others, each with a key",
      50,
      (outbox) => Promise.all(Array.from({ length: 50 }, (_, index) => outbox.submit({}, `key ${index}`))),
    ],
    ["in a batch with a key", 50, (outbox) => outbox.submitAll(Array(50).fill({}), "key")],
  ])("are at most 7: %s", async (_, count, submit) => {
    const { server, outbox } = await usedOutbox();
    const rows = await countRows(outbox);
    await submit(outbox);
    await outbox.runAlarm();
    advanceClock(7 * DAY);
    await outbox.runAlarm();
    expect((await server.state()).messages).toHaveLength(count + 1);
    expect(await outbox.database.query("SELECT id FROM mail")).toEqual([]);
    // One row is the purge of the message before.
    const perMessage = (rows() - 1) / count;
    expect(perMessage).toBeLessThanOrEqual(7);
    expect(perMessage).toBeGreaterThan(4);
  });
});

describe("a server that is down", () => {
  it("writes one row for its pause, one for the alarm, and one for the message tried, however many wait", async () => {
    const { server, outbox } = await usedOutbox();
    await server.change({ isDown: true });
    await outbox.submitAll(Array(50).fill({}));
    const rows = await countRows(outbox);
    await outbox.runAlarm();
    expect(rows()).toBe(3);
    await outbox.runAlarm();
    expect(rows()).toBe(6);
  });
});

describe("a server that refuses everything", () => {
  it("writes at most five rows per attempt, pause and alarm included", async () => {
    const { server, outbox } = await usedOutbox();
    await server.change({ reject: { recipient: "550 5.7.1 Service unavailable" } });
    await outbox.submitAll(Array(3).fill({}));
    const rows = await countRows(outbox);
    await outbox.runAlarm();
    expect(rows()).toBeLessThanOrEqual(15);
    const begun = rows();
    for (let alarm = 0; alarm < 4; alarm++) await outbox.runAlarm();
    expect(rows() - begun).toBeLessThanOrEqual(20);
    expect(rows() - begun).toBeGreaterThan(0);
  });
});
