import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer, type TestServer } from "../support/smtp/servers.ts";
import { expectClosed } from "../support/smtp/sessions.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long a connection may be idle while logins are scarce. */
const IDLE_MS = 15 * SECOND;

const TOO_MANY = "454 4.7.0 Too many login attempts, please try again later";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);
afterEach(() => {
  vi.restoreAllMocks();
});

/** An outbox that waits after too many logins, and a server that accepts them again. */
async function outboxShortOfLogins(): Promise<{ server: TestServer; outbox: TestOutbox }> {
  const server = await mailServer();
  const outbox = await newOutbox(server);
  await server.change({ reject: { authentication: TOO_MANY } });
  await outbox.submit();
  await outbox.runAlarm();
  await server.change({});
  return { server, outbox };
}

/** Holds the timers of idle connections, and returns what ends them. Only their object may call it. */
function holdIdleTimers(): (() => void)[] {
  const ends: (() => void)[] = [];
  const start = globalThis.setTimeout;
  const held = (run: () => void, milliseconds?: number, ...rest: []) =>
    milliseconds === IDLE_MS ? ends.push(run) : start(run, milliseconds, ...rest);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(held as typeof setTimeout);
  return ends;
}

async function expectStates(outbox: TestOutbox, states: string[]): Promise<void> {
  await eventually(async () => expect(await outbox.states()).toEqual(states));
}

describe("too many logins", () => {
  it.each([
    ["454", TOO_MANY],
    ["535", "535 5.7.0 Too many authentication failures"],
    ["421", "421 4.7.0 Too many login attempts"],
  ])(
    "pause the outbox for 2 minutes, doubling to an hour, whatever the code: %s",
    async (_, authentication) => {
      const server = await mailServer();
      const outbox = await newOutbox(server);
      await server.change({ reject: { authentication } });
      const id = await outbox.submit();
      await outbox.submitAll([{ expiresIn: 3_600 }]);
      const minutes: number[] = [];
      for (let alarm = 0; alarm < 7; alarm++) {
        await outbox.runAlarm();
        minutes.push((((await outbox.alarmAt()) ?? 0) - Date.now()) / MINUTE);
      }
      expect(minutes).toEqual([2, 4, 8, 16, 32, 60, 60]);
      expect((await server.state()).connections).toBe(7);
      expect(await outbox.status(id)).toMatchObject({
        attempts: 0,
        waitingFor: "server",
        nextAttemptAt: isoIn(HOUR),
        failure: { stage: "authentication", message: "The SMTP server rejected another login." },
      });
    },
  );

  it("are not tried sooner by a new urgent message", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    const pausedUntil = await outbox.alarmAt();
    advanceClock(SECOND);
    await outbox.submit({ expiresIn: 600 });
    expect(await outbox.alarmAt()).toBe(pausedUntil);
    expect((await server.state()).connections).toBe(1);
  });

  it("are not tried sooner because the server is down meanwhile", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    await server.change({ isDown: true });
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBe(Date.now() + 4 * MINUTE);
  });

  it("are tried hourly once the password is rejected", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    await server.change({ password: "another" });
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBe(Date.now() + HOUR);
  });
});

describe("an outbox that has logged in too often", () => {
  it("keeps an idle connection open for 15 s, and sends what is accepted meanwhile over it", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    const ends = holdIdleTimers();
    const alarm = outbox.runAlarm();
    await eventually(() => expect(ends).toHaveLength(1));
    expect(await outbox.states()).toEqual(["sent"]);
    expect((await server.state()).openConnections).toBe(1);
    await outbox.submit();
    await expectStates(outbox, ["sent", "sent"]);
    await eventually(() => expect(ends).toHaveLength(2));
    await runInDurableObject(outbox.stub, () => ends[1]?.());
    await alarm;
    await expectClosed(server);
    const { connections, messages } = await server.state();
    // The first one was rejected.
    expect(connections).toBe(2);
    expect(new Set(messages.map(({ connection }) => connection)).size).toBe(1);
    expect(await outbox.alarmAt()).toBeGreaterThan(Date.now() + 24 * HOUR);
  });

  it("closes the idle connection once its settings change", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    const ends = holdIdleTimers();
    const alarm = outbox.runAlarm();
    await eventually(() => expect(ends).toHaveLength(1));
    await outbox.notify(undefined);
    await alarm;
    await expectClosed(server);
  });

  it("sends over the next connection if the idle one was closed", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    const ends = holdIdleTimers();
    const alarm = outbox.runAlarm();
    await eventually(() => expect(ends).toHaveLength(1));
    await server.change({ isDown: true });
    await server.change({});
    const id = await outbox.submit();
    await expectStates(outbox, ["sent", "sent"]);
    expect(await outbox.status(id)).toMatchObject({ attempts: 1 });
    await eventually(() => expect(ends).toHaveLength(2));
    await runInDurableObject(outbox.stub, () => ends[1]?.());
    await alarm;
    expect((await server.state()).connections).toBe(3);
  });

  it("closes it at once again after an hour", async () => {
    const { server, outbox } = await outboxShortOfLogins();
    advanceClock(HOUR);
    const ends = holdIdleTimers();
    await outbox.runAlarm();
    expect(ends).toEqual([]);
    await expectClosed(server);
    expect(await outbox.states()).toEqual(["sent"]);
  });
});
