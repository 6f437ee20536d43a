import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer, type TestServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A login code: an urgent message. */
const code = { expiresIn: 600 };

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

/** Runs alarms that log in, and returns the minutes until the next one after each. */
async function minutesUntilTries(outbox: TestOutbox, count: number): Promise<number[]> {
  const minutes: number[] = [];
  for (let alarm = 0; alarm < count; alarm++) {
    await outbox.runAlarm();
    minutes.push((((await outbox.alarmAt()) ?? 0) - Date.now()) / MINUTE);
  }
  return minutes;
}

/** Submits a message whose login is rejected, and returns the minutes until the next one. */
async function minutesUntilNextTry(outbox: TestOutbox): Promise<number> {
  const id = await outbox.submit();
  await outbox.runAlarm();
  const { nextAttemptAt = "", failure } = (await outbox.status(id)) ?? {};
  expect(failure).toMatchObject({ stage: "authentication" });
  return (Date.parse(nextAttemptAt) - Date.now()) / MINUTE;
}

/** An outbox whose settings have logged in, and a server that now has another password. */
async function outboxThatLoggedIn(): Promise<{ server: TestServer; outbox: TestOutbox }> {
  const server = await mailServer();
  const outbox = await newOutbox(server);
  await outbox.submit();
  await outbox.runAlarm();
  await server.change({ password: "another" });
  return { server, outbox };
}

describe("a rejected password", () => {
  it("pauses the outbox for an hour after one attempt, so that no account is locked", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) {
      expect(await outbox.status(id)).toMatchObject({
        state: "queued",
        attempts: 0,
        waitingFor: "settings",
        nextAttemptAt: isoIn(HOUR),
        failure: {
          stage: "authentication",
          smtpCode: 535,
          message: "The SMTP server rejected the user and password.",
          hint: expect.any(String),
        },
      });
    }
    expect(await outbox.alarmAt()).toBe(Date.now() + HOUR);
    expect((await server.state()).connections).toBe(1);
  });

  it.each([
    ["535", "535 5.7.8 Authentication failed"],
    ["534", "534 5.7.9 Authentication mechanism is too weak"],
    ["432 that asks for another password", "432 4.7.12 A password transition is needed"],
  ])("is tried hourly, once each time: %s", async (_, authentication) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ reject: { authentication } });
    await outbox.submitAll([{}, {}, {}]);
    expect(await minutesUntilTries(outbox, 4)).toEqual([60, 60, 60, 60]);
    expect((await server.state()).connections).toBe(4);
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent", "sent"]);
  });

  it("is not tried sooner by a new urgent message", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    await outbox.submit();
    await outbox.runAlarm();
    const pausedUntil = await outbox.alarmAt();
    advanceClock(MINUTE);
    const id = await outbox.submit(code);
    expect(await outbox.alarmAt()).toBe(pausedUntil);
    expect(await outbox.status(id)).toMatchObject({
      waitingFor: "settings",
      nextAttemptAt: isoIn(59 * MINUTE),
      failure: { smtpCode: 535 },
    });
  });

  it("is not tried sooner because the server is down meanwhile", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    await server.change({ isDown: true });
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBe(Date.now() + HOUR);
    expect(await outbox.status(id)).toMatchObject({ waitingFor: "server", failure: { stage: "connect" } });
  });

  it("no longer pauses the outbox once a login works, even if the sender is refused then", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    await server.change({ reject: { sender: "550 5.7.1 not yours" } });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      nextAttemptAt: isoIn(30_000),
      failure: { stage: "sender", smtpCode: 550 },
    });
  });

  it("is forgotten after a save, which makes every waiting message due and starts its schedule again", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ reject: { recipient: "450 4.2.0 later" } });
    const { messages } = await outbox.submitAll([{}, {}]);
    const ids = messages.map(({ id }) => id);
    for (let attempt = 1; attempt <= 3; attempt++) await outbox.runAlarm();
    const reject = { recipient: "450 4.2.0 later" };
    await server.change({ password: "another", reject });
    await outbox.runAlarm();
    for (const id of ids) expect(await outbox.status(id)).toMatchObject({ failure: { smtpCode: 535 } });
    await outbox.save(localSettings(server.port, { password: "another" }));
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    for (const id of ids) {
      const status = await outbox.status(id);
      expect(status).toMatchObject({ attempts: 4, nextAttemptAt: isoIn(MINUTE), failure: { smtpCode: 450 } });
      expect(status).not.toHaveProperty("waitingFor");
    }
  });
});

describe("a password that has worked before", () => {
  it("is tried after 2 and 10 minutes, then hourly", async () => {
    const { server, outbox } = await outboxThatLoggedIn();
    await outbox.submit();
    expect(await minutesUntilTries(outbox, 4)).toEqual([2, 10, 60, 60]);
    expect((await server.state()).connections).toBe(5);
  });

  it("is presumed right at first, then wrong", async () => {
    const { outbox } = await outboxThatLoggedIn();
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      waitingFor: "server",
      failure: { smtpCode: 535, hint: expect.stringMatching(/^The server accepted this login before/) },
    });
    for (let alarm = 0; alarm < 3; alarm++) await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      waitingFor: "settings",
      failure: { hint: expect.stringMatching(/^Check user and password/) },
    });
  });

  it("sends everything once the server accepts it again", async () => {
    const { server, outbox } = await outboxThatLoggedIn();
    await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    await server.change({});
    await outbox.runAlarm();
    expect(new Set(await outbox.states())).toEqual(new Set(["sent"]));
    expect(await outbox.database.keys()).not.toContain("pause");
  });

  it("is remembered by the next instance", async () => {
    const { outbox } = await outboxThatLoggedIn();
    await outbox.evict();
    expect(await minutesUntilNextTry(outbox)).toBe(2);
  });

  it("is remembered although no message is left", async () => {
    const { outbox } = await outboxThatLoggedIn();
    advanceClock(7 * 24 * HOUR);
    await outbox.runAlarm();
    expect(await outbox.database.query("SELECT id FROM mail")).toEqual([]);
    await outbox.evict();
    expect(await minutesUntilNextTry(outbox)).toBe(2);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ["kept by a save of another name", { fromDisplayName: "Acme", replyTo: "office@example.com" }, 2],
    ["lost by a save of another password", { password: "a third" }, 60],
    ["lost by a save of another sender", { from: "other@example.com" }, 60],
    ["lost by a save of another envelope sender", { envelopeFrom: "bounces@example.com" }, 60],
    ["lost by a save of another user", { user: "ada" }, 60],
    ["lost by a save of another TLS mode", { starttls: false }, 60],
  ])("is %s", async (_, changes, minutes) => {
    const { server, outbox } = await outboxThatLoggedIn();
    await outbox.save(localSettings(server.port, changes));
    expect(await minutesUntilNextTry(outbox)).toBe(minutes);
  });

  it("is forgotten once the settings are deleted", async () => {
    const { server, outbox } = await outboxThatLoggedIn();
    await outbox.save(undefined);
    expect(await outbox.database.value("evidence")).toEqual({ fingerprints: [] });
    await outbox.save(localSettings(server.port));
    expect(await minutesUntilNextTry(outbox)).toBe(60);
  });
});

describe("a message that may have arrived", () => {
  it("waits for the login with the others, and the outbox does not wake for it in vain", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 99 });
    const id = await outbox.submit();
    for (let attempt = 1; attempt <= 6; attempt++) await outbox.runAlarm();
    const dueAt = await outbox.alarmAt();
    await server.change({ password: "another" });
    const other = await outbox.submit();
    expect(await minutesUntilTries(outbox, 3)).toEqual([2, 10, 60]);
    expect(await outbox.status(id)).toMatchObject({
      waitingFor: "server",
      nextAttemptAt: new Date(dueAt ?? 0).toISOString(),
    });
    await outbox.delete(other);
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBe(dueAt);
  });
});
