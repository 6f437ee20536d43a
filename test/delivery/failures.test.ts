import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

function isoIn(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

describe("a server that is down", () => {
  it("pauses the outbox, and costs no mail an attempt", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) {
      expect(await outbox.status(id)).toEqual({
        ...{ id, state: "queued", attempts: 0, waitingFor: "server", nextAttemptAt: isoIn(30_000) },
        ...{ createdAt: isoIn(0), expiresAt: isoIn(24 * HOUR) },
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

  it("is tried again after 30 s, doubling to 30 minutes, until it is back", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submitAll([{}, {}, {}]);
    const pauses: number[] = [];
    for (let alarm = 0; alarm < 8; alarm++) {
      await outbox.runAlarm();
      pauses.push(((await outbox.alarmAt()) ?? 0) - Date.now());
    }
    expect(pauses).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30].map((minutes) => minutes * MINUTE));
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent", "sent"]);
    expect((await server.state()).mails).toHaveLength(3);
    await server.change({ isDown: true });
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ nextAttemptAt: isoIn(30_000) });
  });

  it("is left alone during the pause, whatever arrives", async () => {
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

  it("is not what a mail waits for that is due after the pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    const grey = await outbox.submit({ to: "grey@example.com" });
    await outbox.runAlarm();
    await server.change({ isDown: true });
    const other = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(other)).toMatchObject({ waitingFor: "server", nextAttemptAt: isoIn(30_000) });
    const status = await outbox.status(grey);
    expect(status).toMatchObject({ nextAttemptAt: isoIn(MINUTE), failure: { smtpCode: 450 } });
    expect(status).not.toHaveProperty("waitingFor");
  });

  it("does not keep a mail beyond its lifetime", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit({ expiresIn: 60 });
    await outbox.runAlarm();
    advanceClock(MINUTE);
    expect(await outbox.status(id)).toMatchObject({
      ...{ state: "expired", attempts: 0 },
    });
    await server.change({});
    await outbox.runAlarm();
    expect((await server.state()).connections).toBe(0);
  });
});

describe("a server that throttles", () => {
  it.each<[string, object]>([
    ["a 421 reply to the sender", { sender: "421 4.7.0 try later" }],
    ["a quota in the reply to the recipient", { recipient: "550 5.4.5 Daily user sending limit exceeded" }],
    ["a suspended account", { sender: "550 5.7.13 Your account is suspended" }],
    ["a 421 reply to the message", { message: "421 4.3.2 closing" }],
    ["a 4xx reply to user and password", { authentication: "454 4.7.0 too many login attempts" }],
  ])("pauses the outbox, and costs no mail an attempt: %s", async (_, reject) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ reject });
    const { messages } = await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    for (const { id } of messages) {
      expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 0, waitingFor: "server" });
    }
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent"]);
    expect((await server.state()).mails).toHaveLength(2);
  });

  it("stays paused although the other connection still delivers", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({
      ...{ replyDelayMs: 500, rejectRecipients: { "second@example.com": "421 4.7.0 too many" } },
    });
    await outbox.submitAll([{}, { to: "second@example.com" }, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "queued", "queued"]);
    expect(await outbox.alarmAt()).toBe(Date.now() + 30_000);
  });

  it("sees the mail that it cannot bear only after the others", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "poison@example.com": "421 4.3.0 crashed" } });
    const poison = await outbox.submit({ to: "poison@example.com" });
    const other = await outbox.submit();
    await outbox.runAlarm();
    await outbox.runAlarm();
    expect(await outbox.status(other)).toMatchObject({ state: "sent" });
    expect(await outbox.status(poison)).toMatchObject({ state: "queued", attempts: 0, waitingFor: "server" });
  });
});

describe("settings that do not work", () => {
  it("pause the outbox for an hour after one attempt, so that no account is locked", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    expect(await outbox.status(messages[1]?.id ?? "")).toMatchObject({
      ...{ state: "queued", attempts: 0, waitingFor: "settings", nextAttemptAt: isoIn(HOUR) },
      failure: {
        stage: "authentication",
        smtpCode: 535,
        message: expect.any(String),
        hint: expect.any(String),
      },
    });
    expect(await outbox.alarmAt()).toBe(Date.now() + HOUR);
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBe(Date.now() + HOUR);
    expect((await server.state()).connections).toBe(2);
  });

  it.each<[string, object]>([
    ["the sender", { sender: "553 5.7.1 Sender address rejected: not owned by user" }],
    ["the sender, at RCPT", { recipient: "553 5.7.1 Sender address rejected: not owned by user" }],
    ["missing authentication, at RCPT", { recipient: "454 4.7.1 Relay access denied" }],
  ])("pause the outbox if the server blames %s", async (_, reject) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ reject });
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ attempts: 0, waitingFor: "settings" });
  });

  it("do not keep a mail beyond its lifetime", async () => {
    const outbox = await newOutbox(
      await mailServer({ reject: { sender: "553 5.7.1 Sender address rejected" } }),
    );
    await outbox.submit({ expiresIn: 60 });
    await outbox.runAlarm();
    advanceClock(MINUTE);
    expect(await outbox.states()).toEqual(["expired"]);
  });

  it("end their pause once others are saved", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    await outbox.save(localSettings(server.port, { password: "another" }));
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
  });

  it("may be absent: mail waits for the next ones, or expires", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    const brief = await outbox.submit({ expiresIn: 60 });
    await outbox.save(undefined);
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "queued", waitingFor: "settings", attempts: 0 });
    advanceClock(30 * MINUTE);
    expect(await outbox.status(brief)).toMatchObject({ state: "expired" });
    expect((await server.state()).connections).toBe(0);
    await outbox.save(localSettings(server.port));
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it("may be unreadable: mail waits, and the log says so", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.storeRaw("not a JWE");
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "settings unreadable", tenant: outbox.tenant, reason: expect.any(String) },
      { message: "outbox paused", tenant: outbox.tenant, waitingFor: "settings", seconds: 3600, failures: 0 },
    ]);
    expect(await outbox.status(id)).toMatchObject({ state: "queued", waitingFor: "settings" });
  });
});
