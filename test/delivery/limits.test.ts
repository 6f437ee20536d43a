import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_CONTENT_BYTES, MAX_WAITING_MESSAGES } from "../../src/delivery/usage.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const HOUR = 60 * 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

const full = { kind: "outbox_full", details: { retryAfterSeconds: expect.any(Number) } };

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
    await outbox.delete(id);
    await expect(outbox.submitAll([{}, {}])).rejects.toMatchObject(full);
    await outbox.submitAll([{}]);
    await expect(outbox.submit()).rejects.toMatchObject(full);
    expect(await outbox.database.query("SELECT count(due_at) AS count FROM mail")).toEqual([
      { count: MAX_WAITING_MESSAGES },
    ]);
  });

  it("says when a message leaves at the earliest: at the next attempt", async () => {
    const { outbox, id } = await fullOutbox();
    const timeLeft = (seconds: number) => ({ details: { retryAfterSeconds: seconds } });
    await expect(outbox.submit()).rejects.toMatchObject(timeLeft(1));
    await outbox.database.change("due_at = due_at + 90000", id);
    await expect(outbox.submit()).rejects.toMatchObject(timeLeft(90));
    advanceClock(89_500);
    await expect(outbox.submit()).rejects.toMatchObject(timeLeft(1));
  });

  it("says when a message leaves at the earliest: when one expires before the end of a pause", async () => {
    const outbox = await newOutbox(await mailServer(), { password: "wrong" });
    await outbox.submit({ expiresIn: 600 });
    await outbox.runAlarm();
    await outbox.database.multiply(MAX_WAITING_MESSAGES - 1);
    await outbox.evict();
    advanceClock(60_000);
    await expect(outbox.submit()).rejects.toMatchObject({ details: { retryAfterSeconds: 540 } });
  });

  it("counts the same after a restart", async () => {
    const { outbox } = await fullOutbox();
    await outbox.evict();
    await expect(outbox.submit()).rejects.toMatchObject(full);
  });

  it("still repeats the result of a known key", async () => {
    const { outbox, id } = await fullOutbox();
    await outbox.delete(id);
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
    expect(await outbox.retry(id)).toEqual({ kind: "full", roomAt: expect.any(Number) });
    expect(await outbox.status(id)).toMatchObject({ state: "failed" });
  });
});

describe("an outbox with 2 GB of content", () => {
  /** An outbox with failed messages of these sizes, the oldest first. */
  async function outboxWithFailed(sizes: number[]): Promise<{ outbox: TestOutbox; ids: string[] }> {
    const outbox = await newOutbox(await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
    const ids: string[] = [];
    for (const size of sizes) {
      const id = await outbox.submit();
      await outbox.runAlarm();
      await outbox.database.change(`size = ${size}`, id);
      ids.push(id);
      advanceClock(1_000);
    }
    await outbox.evict();
    return { outbox, ids };
  }

  it("makes room by deleting content that has failed, the oldest first, and logs it", async () => {
    const sizes = [20_000_000, MAX_CONTENT_BYTES - 20_000_010];
    const { outbox, ids } = await outboxWithFailed(sizes);
    const { lines } = await captureLog(() => outbox.submit());
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        message: "failed content deleted",
        tenant: outbox.tenant,
        messages: 1,
        bytes: sizes[0],
      },
    ]);
    const [oldest, newest] = [await outbox.status(ids[0] ?? ""), await outbox.status(ids[1] ?? "")];
    expect(oldest).toMatchObject({ state: "failed", contentDeleted: true, failure: { smtpCode: 550 } });
    expect(newest).toMatchObject({ state: "failed" });
    expect(newest).not.toHaveProperty("contentDeleted");
  });

  it("frees more than one message needs, so that the next ones find room at once", async () => {
    const { outbox, ids } = await outboxWithFailed([10, 10, MAX_CONTENT_BYTES - 30]);
    await outbox.submit();
    const { lines } = await captureLog(() => outbox.submit());
    expect(lines).toEqual([]);
    for (const id of ids) expect(await outbox.status(id)).toMatchObject({ contentDeleted: true });
  });

  it("makes room for a retry likewise, and keeps the content of that message", async () => {
    const { outbox, ids } = await outboxWithFailed([10, MAX_CONTENT_BYTES - 10]);
    expect(await outbox.retry(ids[0] ?? "")).toMatchObject({ kind: "changed", mail: { state: "queued" } });
    expect(await outbox.status(ids[1] ?? "")).toMatchObject({ state: "failed", contentDeleted: true });
    await outbox.evict();
    expect(await outbox.retry(ids[0] ?? "")).toEqual({ kind: "wrong_state", state: "queued" });
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
