import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer, type TestServer } from "../support/smtp/servers.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A login code: an urgent message. */
const code = { expiresIn: 600 };

/** A reply that concerns one message, in doubt. */
const REFUSAL = "550 5.7.1 Service unavailable";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

async function outboxWith(recipient: string): Promise<{ server: TestServer; outbox: TestOutbox }> {
  const server = await mailServer({ reject: { recipient } });
  return { server, outbox: await newOutbox(server) };
}

async function isPaused(outbox: TestOutbox): Promise<boolean> {
  return (await outbox.database.keys()).includes("pause");
}

/** An outbox that three refusals have paused. */
async function pausedOutbox(): Promise<{ server: TestServer; outbox: TestOutbox; ids: string[] }> {
  const { server, outbox } = await outboxWith(REFUSAL);
  const ids = (await outbox.submitAll([{}, {}, {}])).messages.map(({ id }) => id);
  await outbox.runAlarm();
  return { server, outbox, ids };
}

/** Runs the alarm, and returns the ids of the messages that it attempts. */
async function attemptsOf(outbox: TestOutbox): Promise<string[]> {
  const { lines } = await captureLog(() => outbox.runAlarm());
  const entries = lines.map((line) => JSON.parse(line) as { message: string; id: string });
  return entries.filter(({ message }) => message === "delivery").map(({ id }) => id);
}

describe("three different messages refused in a row", () => {
  it.each([
    ["in doubt", REFUSAL, "server"],
    ["for a limit of the account", "550 5.4.5 Daily user sending limit exceeded", "server"],
    ["for missing authentication", "530 5.7.0 Authentication required", "settings"],
    ["for the sender", "553 5.7.1 Sender address rejected: not owned by user", "settings"],
  ])("pause the outbox for 30 s: %s", async (_, reply, waitingFor) => {
    const { outbox } = await outboxWith(reply);
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) {
      expect(await outbox.status(id)).toMatchObject({
        state: "queued",
        attempts: 1,
        waitingFor,
        nextAttemptAt: isoIn(30 * SECOND),
        failure: { stage: "recipient", smtpCode: Number(reply.slice(0, 3)) },
      });
    }
    expect(await outbox.alarmAt()).toBe(Date.now() + 30 * SECOND);
  });

  it("are tried one at a time, after 30 s, doubling to 10 minutes, the one tried longest ago first", async () => {
    const { outbox, ids } = await pausedOutbox();
    const tries: string[][] = [];
    const seconds: number[] = [];
    for (let alarm = 0; alarm < 6; alarm++) {
      const before = Date.now();
      tries.push(await attemptsOf(outbox));
      seconds.push((Date.now() - before) / SECOND);
    }
    expect(seconds).toEqual([30, 60, 120, 240, 480, 600]);
    expect(new Set(tries.slice(0, 3).flat())).toEqual(new Set(ids));
    expect(tries.slice(3)).toEqual(tries.slice(0, 3));
    for (const id of ids) expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 3 });
  });

  it("are followed by a new code at once, whose acceptance sends everything in the same run", async () => {
    const { server, outbox, ids } = await pausedOutbox();
    await server.change({});
    advanceClock(10 * SECOND);
    const urgent = await outbox.submit(code);
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    expect(await outbox.status(urgent)).toMatchObject({ state: "sent", attempts: 1 });
    for (const id of ids) expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 2 });
    const { messages } = await server.state();
    expect(messages).toHaveLength(4);
    expect(messages[0]?.raw).toContain(urgent);
    expect(await isPaused(outbox)).toBe(false);
  });

  it("are followed by each new code once, which postpones no other try", async () => {
    const { outbox } = await pausedOutbox();
    const pausedUntil = await outbox.alarmAt();
    for (let count = 0; count < 3; count++) {
      advanceClock(SECOND);
      const urgent = await outbox.submit(code);
      expect(await attemptsOf(outbox)).toEqual([urgent]);
      expect(await outbox.status(urgent)).toMatchObject({
        state: "queued",
        attempts: 1,
        waitingFor: "server",
      });
      expect(await outbox.alarmAt()).toBe(pausedUntil);
    }
  });

  it("are tried again after the messages that were not", async () => {
    const { outbox, ids } = await pausedOutbox();
    const untried = (await outbox.submitAll([{}, {}])).messages.map(({ id }) => id);
    const tries: string[] = [];
    for (let alarm = 0; alarm < 5; alarm++) tries.push(...(await attemptsOf(outbox)));
    expect(tries.slice(0, 2)).toEqual(untried);
    expect(new Set(tries.slice(2))).toEqual(new Set(ids));
  });

  it("hold up no code that was never tried", async () => {
    const { outbox } = await outboxWith(REFUSAL);
    await outbox.submitAll(Array(10).fill({}));
    const urgent = await outbox.submit(code);
    await outbox.runAlarm();
    expect(await outbox.status(urgent)).toMatchObject({ attempts: 1 });
    const untried = await outbox.database.query("SELECT id FROM mail WHERE tried_at IS NULL");
    expect(untried.length).toBeGreaterThanOrEqual(6);
  });

  it("are remembered by the next instance", async () => {
    const { outbox } = await outboxWith(REFUSAL);
    for (let count = 1; count <= 3; count++) {
      expect(await isPaused(outbox)).toBe(false);
      await outbox.submit();
      await outbox.runAlarm();
      await outbox.evict();
    }
    expect(await isPaused(outbox)).toBe(true);
  });

  it("do not count together if another was accepted between them", async () => {
    const { server, outbox } = await outboxWith(REFUSAL);
    await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    await server.change({});
    await outbox.submit();
    await outbox.runAlarm();
    await server.change({ reject: { recipient: REFUSAL } });
    await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    expect(await isPaused(outbox)).toBe(false);
  });

  it.each([
    ["do not count together if a save changes the sender between them", { from: "other@example.com" }, false],
    ["count together if a save changes only a name", { fromDisplayName: "Acme" }, true],
  ])("%s", async (_, changes, paused) => {
    const { server, outbox } = await outboxWith(REFUSAL);
    const { messages } = await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) await outbox.delete(id);
    await outbox.save(localSettings(server.port, changes));
    await outbox.submit();
    await outbox.runAlarmNow();
    expect(await isPaused(outbox)).toBe(paused);
  });

  it("are no longer waited for once a connection that was busy has its message accepted", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ holdsReplies: true });
    const busy = await outbox.submit();
    const alarm = outbox.runAlarm();
    await eventually(async () => expect(await outbox.status(busy)).toMatchObject({ attempts: 1 }));
    await server.change({ holdsReplies: true, reject: { recipient: REFUSAL } });
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await eventually(async () => expect(await isPaused(outbox)).toBe(true));
    await server.change({});
    await alarm;
    expect(await isPaused(outbox)).toBe(false);
    expect(await outbox.status(busy)).toMatchObject({ state: "sent" });
    for (const { id } of messages)
      expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 2 });
  });
});

describe("one message that is refused three times", () => {
  it("does not pause the outbox", async () => {
    const { outbox } = await outboxWith(REFUSAL);
    await outbox.submit();
    for (let attempt = 0; attempt < 3; attempt++) await outbox.runAlarm();
    expect(await isPaused(outbox)).toBe(false);
  });
});

describe("messages refused beyond doubt", () => {
  it("do not pause the outbox, however many", async () => {
    const { outbox } = await outboxWith("550 5.1.1 unknown");
    await outbox.submitAll(Array(12).fill({}));
    await outbox.runAlarm();
    expect(new Set(await outbox.states())).toEqual(new Set(["failed"]));
    expect(await isPaused(outbox)).toBe(false);
  });
});

describe("deferred messages", () => {
  it.each([
    [9, false],
    [10, true],
  ])("that are deferred again, %i of them in a row, pause the outbox: %s", async (count, paused) => {
    const { outbox } = await outboxWith("450 4.2.0 later");
    const { messages } = await outbox.submitAll(Array(count).fill({}));
    await outbox.runAlarm();
    expect(await isPaused(outbox)).toBe(false);
    await outbox.runAlarm();
    expect(await isPaused(outbox)).toBe(paused);
    for (const { id } of messages) {
      const nextAttemptAt = isoIn(paused ? 30 * SECOND : 5 * MINUTE);
      expect(await outbox.status(id)).toMatchObject({
        attempts: 2,
        nextAttemptAt,
        failure: { smtpCode: 450 },
      });
    }
  });

  it("do not pause the outbox by their first deferrals, however many", async () => {
    const { outbox } = await outboxWith("450 4.2.0 Greylisted");
    await outbox.submitAll(Array(30).fill({}));
    await outbox.runAlarm();
    expect(await isPaused(outbox)).toBe(false);
    expect(await outbox.alarmAt()).toBe(Date.now() + MINUTE);
  });
});
