import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox } from "../support/outbox.ts";
import { greets } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A login code: an urgent message. */
const code = { expiresIn: 600 };

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

describe("a server that is down", () => {
  it("pauses the outbox, and costs no message an attempt", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) {
      expect(await outbox.status(id)).toEqual({
        id,
        state: "queued",
        attempts: 0,
        waitingFor: "server",
        nextAttemptAt: isoIn(30_000),
        createdAt: isoIn(0),
        expiresAt: isoIn(24 * HOUR),
        failure: {
          message: "The SMTP server could not be reached.",
          stage: "connect",
          hint: expect.any(String),
        },
      });
    }
    expect(await outbox.alarmAt()).toBe(Date.now() + 30_000);
    expect((await server.state()).connections).toBe(0);
  });

  it.each([
    ["30 s, doubling to 10 minutes", {}, [0.5, 1, 2, 4, 8, 10, 10, 10]],
    ["30 s and then each minute while an urgent message waits", { expiresIn: 3_600 }, [0.5, 1, 1, 1, 1]],
  ])("is tried again after %s, until it is back", async (_, changes, minutes) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submitAll([{}, changes, {}]);
    const pauses: number[] = [];
    for (let alarm = 0; alarm < minutes.length; alarm++) {
      await outbox.runAlarm();
      pauses.push(((await outbox.alarmAt()) ?? 0) - Date.now());
    }
    expect(pauses).toEqual(minutes.map((count) => count * MINUTE));
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent", "sent"]);
    expect((await server.state()).messages).toHaveLength(3);
    await server.change({ isDown: true });
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ nextAttemptAt: isoIn(30_000) });
  });

  it("is left alone for 30 s, whatever arrives that is not urgent", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submit();
    await outbox.runAlarm();
    const pausedUntil = await outbox.alarmAt();
    await server.change({});
    advanceClock(10_000);
    const id = await outbox.submit();
    expect(await outbox.alarmAt()).toBe(pausedUntil);
    expect(await outbox.status(id)).toMatchObject({ waitingFor: "server" });
    expect((await server.state()).connections).toBe(0);
  });

  it("is tried by another new message 30 s after the last try", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const first = await outbox.submit();
    for (let alarm = 0; alarm < 4; alarm++) await outbox.runAlarm();
    await server.change({});
    advanceClock(10 * SECOND);
    const second = await outbox.submit();
    expect(await outbox.alarmAt()).toBe(Date.now() + 20 * SECOND);
    await outbox.runAlarm();
    for (const id of [first, second]) expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it("is tried by one new message for all that wait", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submit();
    for (let alarm = 0; alarm < 4; alarm++) await outbox.runAlarm();
    const pausedUntil = await outbox.alarmAt();
    advanceClock(10 * SECOND);
    await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBe(pausedUntil);
  });

  it("is tried at once by a new urgent message, whose acceptance ends the pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const { messages } = await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    await server.change({});
    advanceClock(SECOND);
    const urgent = await outbox.submit(code);
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    for (const id of [urgent, ...messages.map(({ id }) => id)]) {
      expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
    }
    expect((await server.state()).messages[0]?.raw).toContain(urgent);
    expect(await outbox.database.keys()).not.toContain("pause");
  });

  it("is tried once by each new urgent message, which postpones no other try", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ maxConnections: 0 });
    await outbox.submit();
    await outbox.runAlarm();
    const pausedUntil = await outbox.alarmAt();
    for (let connections = 2; connections <= 4; connections++) {
      advanceClock(SECOND);
      const urgent = await outbox.submit(code);
      await outbox.runAlarm();
      expect((await server.state()).connections).toBe(connections);
      expect(await outbox.status(urgent)).toMatchObject({ attempts: 0, waitingFor: "server" });
      expect(await outbox.alarmAt()).toBe(pausedUntil);
    }
    await outbox.runAlarm();
    expect((await server.state()).connections).toBe(5);
  });

  it("is tried by untried messages first, and by urgent ones before others", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const { messages } = await outbox.submitAll([{}, {}, code]);
    const [first, second, urgent] = messages.map(({ id }) => id);
    const tries: string[] = [];
    for (let alarm = 0; alarm < 4; alarm++) {
      const { lines } = await captureLog(() => outbox.runAlarm());
      const entries = lines.map((line) => JSON.parse(line) as { message: string; id: string });
      tries.push(...entries.filter(({ message }) => message === "delivery").map(({ id }) => id));
    }
    expect(tries).toEqual([first, urgent, second, urgent]);
  });

  it("is what every message waits for", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    const grey = await outbox.submit({ to: "grey@example.com" });
    await outbox.runAlarm();
    await server.change({ isDown: true });
    const other = await outbox.submit();
    await outbox.runAlarm();
    for (const id of [grey, other]) {
      expect(await outbox.status(id)).toMatchObject({
        waitingFor: "server",
        nextAttemptAt: isoIn(30 * SECOND),
        failure: { stage: "connect" },
      });
    }
  });

  it("makes every message due once one is accepted, which takes no step of their schedules", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const greylisting = { rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } };
    await server.change(greylisting);
    const grey = await outbox.submit({ to: "grey@example.com" });
    for (let attempt = 0; attempt < 3; attempt++) await outbox.runAlarm();
    await server.change({ isDown: true });
    await outbox.submit();
    await outbox.runAlarm();
    await server.change(greylisting);
    advanceClock(SECOND);
    const urgent = await outbox.submit(code);
    await outbox.runAlarm();
    expect(await outbox.status(urgent)).toMatchObject({ state: "sent" });
    expect(await outbox.status(grey)).toMatchObject({ attempts: 4, nextAttemptAt: isoIn(15 * MINUTE) });
  });

  it("is not shown to be back by a message that it defers", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const { messages } = await outbox.submitAll([{ to: "grey@example.com" }, {}]);
    await outbox.runAlarm();
    const [grey, other] = messages.map(({ id }) => id);
    await outbox.database.change("tried_at = 0", grey ?? "");
    await outbox.database.change("tried_at = 1", other ?? "");
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    await outbox.runAlarm();
    const nextAttemptAt = isoIn(MINUTE);
    expect(await outbox.status(grey ?? "")).toMatchObject({
      attempts: 1,
      waitingFor: "server",
      nextAttemptAt,
      failure: { smtpCode: 450 },
    });
    expect(await outbox.status(other ?? "")).toMatchObject({
      attempts: 0,
      waitingFor: "server",
      nextAttemptAt,
      failure: { message: expect.stringMatching(/^The SMTP server has not accepted the last messages/) },
    });
    await outbox.runAlarm();
    expect(await outbox.status(other ?? "")).toMatchObject({ state: "sent" });
  });

  it.each([
    ["an ordinary message", {}, 120],
    ["an urgent one", code, 60],
  ])("is logged with the time until its next try, if all that waits is %s", async (_, changes, seconds) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submit(changes);
    for (let alarm = 0; alarm < 2; alarm++) await outbox.runAlarm();
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      message: "outbox paused",
      tenant: outbox.tenant,
      kind: "delivery",
      waitingFor: "server",
      seconds,
      failures: 3,
      stage: "connect",
    });
  });

  it("does not keep a message beyond its lifetime", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit({ expiresIn: 60 });
    await outbox.runAlarm();
    advanceClock(MINUTE);
    expect(await outbox.status(id)).toMatchObject({
      state: "expired",
      attempts: 0,
      failure: { stage: "connect" },
    });
    await server.change({});
    await outbox.runAlarm();
    expect((await server.state()).connections).toBe(0);
  });
});

describe("a session that fails", () => {
  it.each<[string, object, waitingFor: string, stage: string]>([
    [
      "5xx to the sender",
      { sender: "553 5.7.1 Sender address rejected: not owned by user" },
      "settings",
      "sender",
    ],
    ["a sender without words", { sender: "550 no" }, "settings", "sender"],
    ["a suspended account", { sender: "550 5.7.13 Your account is suspended" }, "server", "sender"],
    ["a login that cannot be checked", { authentication: "454 4.7.0 later" }, "server", "authentication"],
  ])(
    "pauses the outbox for 30 s, and costs no message an attempt: %s",
    async (_, reject, waitingFor, stage) => {
      const server = await mailServer();
      const outbox = await newOutbox(server);
      await server.change({ reject });
      const { messages } = await outbox.submitAll([{}, {}]);
      await outbox.runAlarm();
      for (const { id } of messages) {
        expect(await outbox.status(id)).toMatchObject({
          state: "queued",
          attempts: 0,
          waitingFor,
          nextAttemptAt: isoIn(30 * SECOND),
          failure: { stage, smtpCode: expect.any(Number) },
        });
      }
      await server.change({});
      await outbox.runAlarm();
      expect(await outbox.states()).toEqual(["sent", "sent"]);
      expect((await server.state()).messages).toHaveLength(2);
    },
  );

  it.each([
    ["421 in place of a greeting", [{ send: "421 4.3.2 shutting down\r\n" }, { close: true as const }]],
    ["a close after the greeting", [...greets, { expect: "EHLO" }, { close: true as const }]],
    [
      "554 to EHLO",
      [...greets, { expect: "EHLO" }, { send: "554 5.7.1 not you\r\n" }, { close: true as const }],
    ],
  ])("pauses the outbox: %s", async (_, script) => {
    const server = await scriptedServer(script);
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "queued",
      attempts: 0,
      waitingFor: "server",
      nextAttemptAt: isoIn(30 * SECOND),
    });
    expect((await server.state()).connections).toBe(1);
  });
});
