import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const RECIPIENT = "refused@example.com";

/** A server whose first connection carries everything. */
const oneConnection = { rejectBeside: { sender: "550 5.7.1 one at a time" } };

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Runs alarms, and returns the minutes from each to the next attempt of the message. */
async function minutesBetweenAttempts(outbox: TestOutbox, id: string, count: number): Promise<number[]> {
  const minutes: number[] = [];
  for (let attempts = 1; attempts <= count; attempts++) {
    await outbox.runAlarm();
    const status = await outbox.status(id);
    expect(status).toMatchObject({ state: "queued", attempts });
    expect(status).not.toHaveProperty("waitingFor");
    minutes.push((Date.parse(status?.nextAttemptAt ?? "") - Date.now()) / MINUTE);
  }
  return minutes;
}

describe("a message whose recipient or content is at fault beyond doubt", () => {
  it("fails with the diagnosis, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({
      rejectRecipients: { "gone@example.com": "550 5.1.1 <gone@example.com> is unknown" },
    });
    const gone = await outbox.submit({ to: "gone@example.com" });
    await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["failed", "sent", "sent", "sent"]);
    expect(await outbox.status(gone)).toEqual({
      id: gone,
      state: "failed",
      attempts: 1,
      createdAt: isoIn(0),
      expiresAt: isoIn(DAY),
      failure: {
        message: "The SMTP server rejected the recipient.",
        stage: "recipient",
        smtpCode: 550,
        enhancedCode: "5.1.1",
        reply: "<[recipient]> is unknown",
        hint: expect.any(String),
      },
    });
    expect((await server.state()).connections).toBeLessThanOrEqual(2);
  });

  it("may be refused for its content", async () => {
    const server = await mailServer({ reject: { message: "554 5.6.0 content rejected" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "failed",
      attempts: 1,
      messageId: `<${id}@example.com>`,
      failure: { stage: "message", smtpCode: 554 },
    });
  });

  it("may need SMTPUTF8 of a server that lacks it", async () => {
    const server = await mailServer({ without: ["SMTPUTF8"] });
    const outbox = await newOutbox(server);
    await outbox.submitAll([{ to: "жук@example.com" }, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["failed", "sent"]);
  });

  it.each([
    ["5.1.1", "550 5.1.1 unknown"],
    ["5.1.2", "550 5.1.2 bad host"],
    ["5.1.3", "553 5.1.3 bad syntax"],
    ["5.1.6", "550 5.1.6 moved"],
    ["5.1.10", "550 5.1.10 not found"],
    ["5.2.1", "550 5.2.1 disabled"],
    ["5.2.2", "552 5.2.2 full"],
    ["5.3.4", "552 5.3.4 too big"],
    ["5.6.1", "554 5.6.1 media not supported"],
    ["5.7.124", "550 5.7.124 not allowed"],
    ["5.7.129", "550 5.7.129 restricted"],
    ["5.7.133", "550 5.7.133 sender not authenticated for group"],
    ["5.7.134", "550 5.7.134 sender not authenticated for mailbox"],
    ["only its address named", `550 <${RECIPIENT}> I do not like you`],
  ])("fails by its first refusal: %s", async (_, reply) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { [RECIPIENT]: reply } });
    const id = await outbox.submit({ to: RECIPIENT });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "failed", attempts: 1 });
    expect(await outbox.database.keys()).not.toContain("streaks");
  });
});

describe("a message that the server refuses for another reason", () => {
  const other = "550 5.7.1 Service unavailable";

  it("delays no other, shows its own reply, and is retried after a minute", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { [RECIPIENT]: other } });
    const id = await outbox.submit({ to: RECIPIENT });
    await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["queued", "sent", "sent", "sent"]);
    const status = await outbox.status(id);
    expect(status).toMatchObject({
      attempts: 1,
      nextAttemptAt: isoIn(MINUTE),
      failure: { stage: "recipient", smtpCode: 550, enhancedCode: "5.7.1", reply: "Service unavailable" },
    });
    expect(status).not.toHaveProperty("waitingFor");
    expect(await outbox.alarmAt()).toBe(Date.now() + MINUTE);
  });

  it("fails by the second refusal once its connection has accepted another", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ ...oneConnection, rejectRecipients: { [RECIPIENT]: other } });
    const id = await outbox.submit({ to: RECIPIENT });
    await outbox.submitAll(Array(4).fill({}));
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 1 });
    // The connection that is given up may leave a message to the next alarm.
    while ((await outbox.status(id))?.state === "queued") await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "failed",
      attempts: 2,
      failure: { stage: "recipient", smtpCode: 550, reply: "Service unavailable" },
    });
  });

  it("fails by the fifth refusal once others were accepted between all of them", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { [RECIPIENT]: other } });
    const id = await outbox.submit({ to: RECIPIENT, expiresIn: 72 * 3600 });
    await outbox.runAlarm();
    for (let attempts = 1; attempts < 5; attempts++) {
      expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts });
      advanceClock(SECOND);
      // Over a connection of its own.
      await outbox.submit();
      await outbox.runAlarm();
      await outbox.runAlarm();
    }
    expect(await outbox.status(id)).toMatchObject({
      state: "failed",
      attempts: 5,
      failure: { reply: "Service unavailable" },
    });
  });

  it("never fails while no other is accepted", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { [RECIPIENT]: other } });
    const id = await outbox.submit({ to: RECIPIENT, expiresIn: 72 * 3600 });
    expect(await minutesBetweenAttempts(outbox, id, 8)).toEqual([1, 5, 15, 30, 60, 120, 240, 240]);
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 9 });
  });

  it.each([
    ["relaying", "553 Relaying disallowed"],
    ["authentication", "530 5.7.0 Authentication required"],
    ["the order of commands", "503 Error: need EHLO and AUTH first !"],
    ["the sender's domain", "550 5.7.1 Sending from domain example.com is not allowed"],
    ["unauthenticated senders", "550 Unauthenticated senders not allowed"],
    ["the sender's address", "553 5.7.1 Sender address rejected: not owned by user"],
    ["a limit of the account", "550 5.4.5 Daily user sending limit exceeded"],
    ["our name", "550 5.7.1 Helo command rejected: need fully-qualified hostname"],
  ])("never fails for words about %s while no other is accepted", async (_, reply) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { [RECIPIENT]: reply } });
    const id = await outbox.submit({ to: RECIPIENT });
    expect(await minutesBetweenAttempts(outbox, id, 6)).toEqual([1, 5, 15, 30, 60, 120]);
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it.each([
    ["the account", "550 5.4.5 Daily user sending limit exceeded"],
    ["the server", "550 5.7.1 Client host [192.0.2.1] blocked using zen.example.org"],
  ])("never fails for words about %s, whatever else is accepted", async (_, reply) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ ...oneConnection, rejectRecipients: { [RECIPIENT]: reply } });
    const id = await outbox.submit({ to: RECIPIENT, expiresIn: 72 * 3600 });
    for (let attempts = 1; attempts <= 6; attempts++) {
      await outbox.submitAll(Array(4).fill({}));
      await outbox.runAlarm();
      expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts });
      advanceClock(Date.parse((await outbox.status(id))?.nextAttemptAt ?? "") - Date.now());
    }
  });

  it.each([
    ["waits for words about the settings, although", "553 Relaying disallowed", "queued"],
    [
      "fails if they name its recipient alone, once",
      `554 5.7.1 <${RECIPIENT}>: Relay access denied`,
      "failed",
    ],
  ])("%s its connection has accepted another: %s", async (_, reply, state) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ ...oneConnection, rejectRecipients: { [RECIPIENT]: reply } });
    const id = await outbox.submit({ to: RECIPIENT });
    await outbox.submitAll(Array(4).fill({}));
    while ((await outbox.status(id))?.attempts !== 2) await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state });
  });

  it.each([
    ["a code of ten minutes after one minute", 600, MINUTE],
    ["a code of one minute after a quarter of it", 60, 15 * SECOND],
  ])("is retried soon: %s", async (_, expiresIn, milliseconds) => {
    const server = await mailServer({ reject: { recipient: other } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit({ expiresIn });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ attempts: 1, nextAttemptAt: isoIn(milliseconds) });
  });
});

describe("a message that the server rejects for now", () => {
  it("is retried on its own schedule, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    const grey = await outbox.submit({ to: "grey@example.com" });
    await outbox.submitAll([{}, {}]);
    expect(await minutesBetweenAttempts(outbox, grey, 7)).toEqual([1, 5, 15, 30, 60, 120, 240]);
    expect(await outbox.status(grey)).toMatchObject({ failure: { smtpCode: 450 } });
    expect(await outbox.states()).toEqual(["queued", "sent", "sent"]);
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.status(grey)).toMatchObject({ state: "sent", attempts: 8 });
    expect((await server.state()).messages).toHaveLength(3);
  });

  it.each<[string, object]>([
    ["at MAIL", { sender: "451 4.7.1 later" }],
    ["at MAIL, with 421", { sender: "421 4.7.0 try later" }],
    ["at RCPT", { recipient: "451 4.7.1 later" }],
    ["at its content", { message: "451 4.3.0 later" }],
    ["at its content, with 421", { message: "421 4.3.2 closing" }],
  ])("waits alone, and loses an attempt: %s", async (_, reject) => {
    const server = await mailServer({ reject });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    expect(await minutesBetweenAttempts(outbox, id, 2)).toEqual([1, 5]);
    expect(await outbox.database.keys()).not.toContain("pause");
  });

  it("expires in place of an attempt that would come later", async () => {
    const server = await mailServer({ reject: { recipient: "450 4.2.0 Greylisted" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit({ expiresIn: 180 });
    await outbox.runAlarm();
    await outbox.database.change("expires_at = due_at + 10000", id);
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ nextAttemptAt: isoIn(10 * SECOND), attempts: 2 });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "expired",
      attempts: 2,
      failure: { smtpCode: 450 },
    });
    expect((await server.state()).connections).toBe(2);
  });
});
