import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

async function rowsOf(outbox: TestOutbox) {
  return outbox.database.query("SELECT state, size, content FROM mail ORDER BY id");
}

describe("the content of a message", () => {
  it.each<[string, object | undefined]>([
    ["sent", undefined],
    ["canceled", undefined],
  ])("is deleted once the message is %s", async (state) => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    if (state === "canceled") await outbox.delete(id);
    await outbox.runAlarm();
    expect(await rowsOf(outbox)).toEqual([{ state, size: 0, content: null }]);
  });

  it.each([
    ["failed", "550 5.1.1 unknown"],
    ["expired", "450 4.2.0 later"],
  ])("of a message that is %s lives as long as its record, for a retry", async (state, recipient) => {
    const outbox = await newOutbox(await mailServer({ reject: { recipient } }));
    await outbox.submit({ expiresIn: 60 });
    await outbox.runAlarm();
    while ((await outbox.states())[0] === "queued") await outbox.runAlarm();
    advanceClock(7 * DAY);
    expect(await rowsOf(outbox)).toEqual([
      { state, size: expect.any(Number), content: expect.stringMatching(/^ey/) },
    ]);
    await outbox.runAlarm();
    expect(await rowsOf(outbox)).toEqual([]);
  });
});

describe("a record", () => {
  it("lives for 7 days after the final state, then no alarm is left", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    await outbox.runAlarm();
    const sentAt = Date.now();
    expect(await outbox.alarmAt()).toBe(sentAt + 7 * DAY + HOUR);
    advanceClock(7 * DAY - 1);
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toBeUndefined();
    expect(await rowsOf(outbox)).toEqual([]);
    expect(await outbox.alarmAt()).toBeNull();
  });

  it("is not the end of the tables, nor of what the outbox has learned", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await outbox.runAlarm();
    await outbox.runAlarm();
    expect(await rowsOf(outbox)).toEqual([]);
    expect(await outbox.database.tables()).toEqual(["mail"]);
    expect(await outbox.database.keys()).toEqual(["evidence", "kids", "migrations", "provenLogins"]);
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it("is not the end of settings that were just handed over", async () => {
    const [inKv, handed] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(inKv);
    await outbox.submit();
    await outbox.runAlarm();
    advanceClock(7 * DAY + HOUR - 1);
    await outbox.notify(localSettings(handed.port));
    advanceClock(1);
    await outbox.runAlarmNow();
    expect(await rowsOf(outbox)).toEqual([]);
    expect(await outbox.database.keys()).toContain("settings");
    await outbox.submit();
    await outbox.runAlarmNow();
    expect((await handed.state()).messages).toHaveLength(1);
  });

  it("is not the end of a pause, nor of what counts against the server", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ reject: { recipient: "550 5.7.1 Service unavailable" } });
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) await outbox.delete(id);
    // The next try of the pause, then the purge.
    for (let alarm = 0; alarm < 2; alarm++) await outbox.runAlarm();
    expect(await rowsOf(outbox)).toEqual([]);
    expect(await outbox.database.keys()).toEqual([
      "evidence",
      "kids",
      "migrations",
      "pause",
      "provenLogins",
      "streaks",
    ]);
    expect(await outbox.alarmAt()).toBeNull();
  });

  it("does not end those of others", async () => {
    const outbox = await newOutbox(await mailServer());
    const first = await outbox.submit();
    await outbox.runAlarm();
    advanceClock(DAY);
    const second = await outbox.submit();
    await outbox.runAlarm();
    advanceClock(6 * DAY + HOUR);
    await outbox.runAlarmNow();
    expect([await outbox.status(first), await outbox.status(second)]).toMatchObject([
      undefined,
      { state: "sent" },
    ]);
    expect(await outbox.alarmAt()).toBeGreaterThan(Date.now());
  });

  it("is purged by its own final state, whatever becomes of the others of its request", async () => {
    const outbox = await newOutbox(await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
    const { messages } = await outbox.submitAll([{}, {}, {}], "key");
    await outbox.runAlarm();
    const [first, second] = messages.map(({ id }) => id);
    advanceClock(6 * DAY);
    // The oldest record, and the key with it, live on.
    await outbox.retry(first ?? "");
    advanceClock(DAY);
    await outbox.runAlarm();
    expect(await outbox.status(second ?? "")).toBeUndefined();
    expect(await rowsOf(outbox)).toHaveLength(1);
  });

  it("is purged within an hour although an older message waits", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 later" } });
    const waiting = await outbox.submit({ to: "grey@example.com", expiresIn: 72 * 3600 });
    const sent = await outbox.submit();
    await outbox.runAlarm();
    const end = Date.now() + 7 * DAY + HOUR;
    while (Date.now() < end && (await outbox.alarmAt()) !== null) {
      if (((await outbox.alarmAt()) ?? 0) > end) break;
      await outbox.runAlarm();
    }
    expect(await outbox.status(sent)).toBeUndefined();
    expect(await outbox.status(waiting)).toMatchObject({ state: "expired" });
  });

  it("of a message that waits is never purged", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit({ expiresIn: 72 * 3600 });
    advanceClock(71 * HOUR);
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "queued" });
  });

  it("lives for 7 days after a retry as well", async () => {
    const server = await mailServer({ reject: { recipient: "550 5.1.1 unknown" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    advanceClock(6 * DAY);
    await outbox.retry(id);
    await outbox.runAlarm();
    advanceClock(6 * DAY);
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "failed" });
    expect(await outbox.alarmAt()).toBeGreaterThan(Date.now());
  });

  it("is purged with all others of its time, however many", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await outbox.runAlarm();
    await outbox.database.multiply(2_500);
    advanceClock(7 * DAY + HOUR);
    await outbox.runAlarm();
    expect(await rowsOf(outbox)).toEqual([]);
  });
});
