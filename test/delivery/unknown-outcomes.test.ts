import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Runs alarms, and returns the seconds between them. */
async function secondsBetweenAlarms(outbox: TestOutbox, count: number): Promise<number[]> {
  const seconds: number[] = [];
  for (let alarm = 0; alarm < count; alarm++) {
    const before = Date.now();
    await outbox.runAlarm();
    seconds.push((Date.now() - before) / SECOND);
  }
  return seconds;
}

describe("a message whose outcome is unknown", () => {
  it("is sent at once with other settings, and keeps its schedule if a save changes nothing", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 99 });
    const id = await outbox.submit();
    for (let attempt = 1; attempt <= 3; attempt++) await outbox.runAlarm();
    const { nextAttemptAt } = (await outbox.status(id)) ?? {};
    await outbox.save(localSettings(server.port));
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ attempts: 3, nextAttemptAt });
    const other = await mailServer();
    await outbox.save(localSettings(other.port));
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 4 });
  });

  it("is sent again with the date of its acceptance, so that an old code does not look new", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const acceptedAt = new Date();
    await outbox.submit();
    for (let attempt = 0; attempt < 2; attempt++) await outbox.runAlarm();
    const { messages } = await server.state();
    const dates = messages.map(({ raw }) => /^Date: (.*)$/m.exec(raw)?.[1]);
    expect(dates).toEqual(Array(2).fill(acceptedAt.toUTCString().replace("GMT", "+0000")));
  });

  it("is sent again with the same Message-ID, and blocks no other", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["queued", "sent", "sent"]);
    expect(await outbox.status(id)).toMatchObject({
      attempts: 1,
      nextAttemptAt: isoIn(MINUTE),
      messageId: `<${id}@example.com>`,
      failure: { stage: "message", message: expect.stringMatching(/closed the connection/) },
    });
    expect(await outbox.status(id)).not.toHaveProperty("waitingFor");
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 2 });
    const copies = (await server.state()).messages.filter(({ raw }) =>
      raw.includes(`Message-ID: <${id}@example.com>`),
    );
    expect(copies).toHaveLength(2);
  });

  it("fails after three attempts if another was accepted since the first, and says that it may have arrived", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    await outbox.submit();
    await outbox.runAlarm();
    await server.change({ loseReplies: 2 });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 2 });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "failed",
      attempts: 3,
      failure: { message: expect.stringMatching(/ The message may have arrived\.$/) },
    });
    expect((await server.state()).messages).toHaveLength(4);
  });

  it("is sent again on its own schedule, however often, while no other is accepted", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submit();
    await outbox.runAlarm();
    await server.change({ loseReplies: 99 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await secondsBetweenAlarms(outbox, 7)).toEqual(
      [1, 5, 15, 30, 60, 120, 240].map((minutes) => minutes * 60),
    );
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 8 });
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 9 });
  });

  it("keeps its Message-ID when the sender's domain changes", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    await outbox.store(localSettings(server.port, { from: "sender@example.org" }));
    await outbox.runAlarm();
    const { messages } = await server.state();
    expect(messages.map(({ mailFrom }) => mailFrom)).toEqual(["sender@example.com", "sender@example.org"]);
    for (const { raw } of messages) expect(raw).toContain(`Message-ID: <${id}@example.com>`);
  });

  it("keeps its schedule after a save that changes nothing for the server", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    const nextAttemptAt = isoIn(MINUTE);
    await outbox.save(localSettings(server.port, { fromDisplayName: "Acme" }));
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 1, nextAttemptAt });
  });

  it("is sent at once with other settings", async () => {
    const [previous, current] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(previous);
    await previous.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    await outbox.save(localSettings(current.port));
    // Another message shows the outbox that the settings differ.
    await outbox.submit();
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 2 });
    expect((await current.state()).messages).toHaveLength(2);
  });
});

describe("two messages in a row whose outcome is unknown", () => {
  it("pause the outbox, and keep their own schedule", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 99 });
    const first = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.database.keys()).not.toContain("pause");
    advanceClock(SECOND);
    const second = await outbox.submit();
    await outbox.runAlarm();
    for (const [id, milliseconds] of [
      [first, MINUTE - SECOND],
      [second, MINUTE],
    ] as const) {
      const status = await outbox.status(id);
      expect(status).toMatchObject({ attempts: 1, nextAttemptAt: isoIn(milliseconds) });
      expect(status).not.toHaveProperty("waitingFor");
    }
    const third = await outbox.submit();
    expect(await outbox.status(third)).toMatchObject({
      attempts: 0,
      waitingFor: "server",
      nextAttemptAt: isoIn(30 * SECOND),
      failure: { message: expect.stringMatching(/^The SMTP server has not accepted the last messages/) },
    });
  });

  it("go out at once when the acceptance of another ends the pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 2 });
    await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    await outbox.submit();
    expect(await secondsBetweenAlarms(outbox, 1)).toEqual([30]);
    expect(await outbox.states()).toEqual(["sent", "sent", "sent"]);
    expect(await outbox.database.keys()).not.toContain("pause");
  });
});

describe("a message whose outcome is unknown, while no session opens,", () => {
  it("is tried on its own schedule, then waits like the others", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    await server.change({ isDown: true });
    await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ nextAttemptAt: isoIn(MINUTE) });
    expect(await outbox.status(id)).not.toHaveProperty("waitingFor");
    // The second one is the message's own, after a minute. It postpones no other.
    expect(await secondsBetweenAlarms(outbox, 6)).toEqual([30, 30, 30, 120, 240, 480]);
    expect(await outbox.status(id)).toMatchObject({
      attempts: 1,
      waitingFor: "server",
      nextAttemptAt: isoIn(600 * SECOND),
      failure: { stage: "connect" },
    });
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent"]);
  });

  it("costs no more logins than others", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server, { password: "correct horse" });
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    await server.change({ password: "another" });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      attempts: 1,
      nextAttemptAt: isoIn(2 * MINUTE),
      failure: { smtpCode: 535 },
    });
    expect(await secondsBetweenAlarms(outbox, 4)).toEqual([2 * 60, 10 * 60, 3_600, 3_600]);
    expect((await server.state()).connections).toBe(6);
  });
});
