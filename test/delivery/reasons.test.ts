import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_SETTINGS, NOT_TRIED } from "../../src/delivery/report.ts";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer, type TestServer } from "../support/smtp/servers.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What a message shows that waits for the acceptance of others. */
const OF_OTHERS = {
  message: "The SMTP server has not accepted the last messages of this tenant, so this one waits.",
  stage: "recipient",
  hint: expect.any(String),
};

/** What the server says of the messages that it refuses. */
const WORDS = ["not today", "no, thank you", "go away"];

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

/** An outbox that three refusals have paused, each with its own words, and a message that was not tried since. */
async function pausedOutbox(): Promise<{
  server: TestServer;
  outbox: TestOutbox;
  refused: string[];
  untried: string;
}> {
  const server = await mailServer();
  const outbox = await newOutbox(server);
  const recipients = WORDS.map((_, index) => `reader-${index}@example.com`);
  const rejectRecipients = Object.fromEntries(
    recipients.map((to, index) => [to, `550 5.7.1 ${WORDS[index]}`]),
  );
  await server.change({ rejectRecipients });
  const { messages } = await outbox.submitAll(recipients.map((to) => ({ to })));
  await outbox.runAlarm();
  advanceClock(SECOND);
  const untried = await outbox.submit();
  return { server, outbox, refused: messages.map(({ id }) => id), untried };
}

describe("during a pause that refusals have begun", () => {
  it("each message shows its own reply, and none shows another's", async () => {
    const { outbox, refused, untried } = await pausedOutbox();
    for (const [index, id] of refused.entries()) {
      expect(await outbox.status(id)).toMatchObject({
        failure: { smtpCode: 550, reply: WORDS[index] ?? "" },
      });
    }
    expect((await outbox.status(untried))?.failure).toEqual(OF_OTHERS);
  });

  it("a message still shows its own reply after the try of another", async () => {
    const { outbox, refused, untried } = await pausedOutbox();
    await outbox.runAlarm();
    expect(await outbox.status(untried)).toMatchObject({ state: "sent" });
    const waiting = await Promise.all(refused.map((id) => outbox.status(id)));
    expect(waiting.map((status) => status?.failure?.reply)).toEqual(WORDS);
  });
});

describe("a message that expires", () => {
  it("shows that no session opened, also later", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit({ expiresIn: 60 });
    await outbox.runAlarm();
    advanceClock(MINUTE);
    const failure = { message: "The SMTP server could not be reached.", stage: "connect" };
    expect(await outbox.status(id)).toMatchObject({ state: "expired", attempts: 0, failure });
    await server.change({});
    await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "expired", failure });
  });

  it("shows the reply that every login meets", async () => {
    const outbox = await newOutbox(await mailServer({ password: "another" }));
    const { messages } = await outbox.submitAll([{ expiresIn: 600 }, { expiresIn: 600 }]);
    await outbox.runAlarm();
    advanceClock(10 * MINUTE);
    for (const { id } of messages) {
      expect(await outbox.status(id)).toMatchObject({
        state: "expired",
        failure: { stage: "authentication", smtpCode: 535 },
      });
    }
  });

  it("shows its own reply if others are accepted", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    const id = await outbox.submit({ to: "grey@example.com", expiresIn: 60 });
    await outbox.submit();
    await outbox.runAlarm();
    advanceClock(MINUTE);
    expect(await outbox.status(id)).toMatchObject({
      state: "expired",
      attempts: 1,
      failure: { smtpCode: 450, reply: "Greylisted" },
    });
  });

  it("shows that others were not accepted if it was not tried meanwhile", async () => {
    const { outbox, untried } = await pausedOutbox();
    advanceClock(DAY);
    expect(await outbox.status(untried)).toMatchObject({ state: "expired", attempts: 0, failure: OF_OTHERS });
  });

  it("shows its own reply if it is one of those that were not accepted", async () => {
    const { outbox, refused } = await pausedOutbox();
    advanceClock(DAY);
    expect(await outbox.status(refused[1] ?? "")).toMatchObject({
      state: "expired",
      attempts: 1,
      failure: { reply: WORDS[1] ?? "" },
    });
  });

  it("shows that there were no settings", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit({ expiresIn: 60 });
    await outbox.save(undefined);
    await outbox.runAlarm();
    advanceClock(MINUTE);
    expect(await outbox.status(id)).toMatchObject({ state: "expired", attempts: 0, failure: NO_SETTINGS });
  });

  it("shows that it was never tried", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit({ expiresIn: 60 });
    advanceClock(MINUTE);
    expect(await outbox.status(id)).toMatchObject({ state: "expired", attempts: 0, failure: NOT_TRIED });
  });

  it("shows the same if the alarm finds it", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit({ expiresIn: 60 });
    await outbox.submit();
    await outbox.runAlarm();
    advanceClock(MINUTE);
    await server.change({});
    await outbox.runAlarmNow();
    expect(await outbox.database.query(`SELECT state FROM mail WHERE id = '${id}'`)).toEqual([
      { state: "expired" },
    ]);
    expect(await outbox.status(id)).toMatchObject({ failure: { stage: "connect" } });
  });
});

describe("after the settings are deleted", () => {
  it("every waiting message shows that there are none", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1, rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    const unknown = await outbox.submit();
    await outbox.runAlarm();
    const grey = await outbox.submit({ to: "grey@example.com" });
    await outbox.runAlarm();
    const untried = await outbox.submit();
    await outbox.save(undefined);
    await outbox.runAlarmNow();
    for (const id of [unknown, grey, untried]) {
      expect(await outbox.status(id)).toMatchObject({
        state: "queued",
        waitingFor: "settings",
        nextAttemptAt: isoIn(HOUR),
        failure: NO_SETTINGS,
      });
    }
  });

  it("the reason is gone once others are saved", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.save(undefined);
    await outbox.runAlarm();
    await outbox.save(localSettings(server.port));
    const status = await outbox.status(id);
    expect(status).toMatchObject({ state: "queued", nextAttemptAt: isoIn(0) });
    expect(status).not.toHaveProperty("failure");
    expect(status).not.toHaveProperty("waitingFor");
  });
});
