import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { authenticated, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Runs the alarm until `reached`, then stops the object as a crash or a deployment does. */
async function crash(outbox: TestOutbox, reached: () => Promise<void>): Promise<void> {
  const alarm = outbox.runAlarm().catch(() => "aborted");
  await eventually(reached);
  await abortAllDurableObjects();
  expect(await alarm).toBe("aborted");
  // Cloudflare repeats an alarm that does not end. That of the test is gone.
  await runInDurableObject(outbox.stub, (_, { storage }) => storage.setAlarm(Date.now()));
}

describe("an outbox that is evicted", () => {
  it("keeps its messages, their alarm and its pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit();
    await outbox.runAlarm();
    const before = [await outbox.status(id), await outbox.alarmAt()];
    await outbox.evict();
    expect([await outbox.status(id), await outbox.alarmAt()]).toEqual(before);
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it("goes on without a request, in real time", async () => {
    restoreClock();
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submit();
    await outbox.evict();
    await eventually(async () => expect((await server.state()).messages).toHaveLength(1));
  });
});

describe("an outbox that stops before a message's content has left", () => {
  it("sends the message later, and counts no attempt", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      ...replies("MAIL", "250 2.1.0 ok"),
      { expect: "RCPT" },
      { wait: true },
      { send: "250 2.1.5 ok\r\n" },
      ...replies("DATA", "354 go ahead"),
      ...replies(".", "250 2.0.0 queued"),
    ]);
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await crash(outbox, async () => expect((await server.state()).lines.join()).toContain("RCPT TO"));
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 0 });
    await server.release();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
  });
});

describe("an outbox that stops between a message and its reply", () => {
  it("has recorded the attempt, waits, and sends the message again with the same Message-ID", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ replyDelayMs: 1_500 });
    const id = await outbox.submit();
    await crash(outbox, async () => expect(await outbox.status(id)).toMatchObject({ attempts: 1 }));
    expect(await outbox.status(id)).toMatchObject({ state: "sending", attempts: 1 });

    await server.change({});
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        message: "delivery",
        tenant: outbox.tenant,
        id,
        attempt: 1,
        state: "queued",
        stage: "message",
        failure: "interrupted",
      },
    ]);
    expect(await outbox.status(id)).toMatchObject({
      state: "queued",
      attempts: 1,
      nextAttemptAt: new Date(Date.now() + MINUTE).toISOString(),
      failure: { message: expect.stringMatching(/^The attempt was interrupted/) },
    });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 2 });
    const { messages } = await server.state();
    expect(messages.length).toBeGreaterThanOrEqual(1);
    for (const { raw } of messages) expect(raw).toContain(`Message-ID: <${id}@example.com>`);
  });

  it("affects no more messages than there were connections", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submitAll(Array.from({ length: 20 }, () => ({})));
    await server.change({ replyDelayMs: 100 });
    await crash(outbox, async () => expect((await server.state()).messages.length).toBeGreaterThan(4));
    const interrupted = await outbox.database.query("SELECT id FROM mail WHERE state = 'sending'");
    expect(interrupted.length).toBeLessThanOrEqual(2);
    await server.change({});
    await outbox.runAlarm();
    if (interrupted.length > 0) await outbox.runAlarm();
    expect(new Set(await outbox.states())).toEqual(new Set(["sent"]));
    const { messages } = await server.state();
    const ids = new Set(messages.map(({ raw }) => /^Message-ID: (.*)$/m.exec(raw)?.[1]));
    expect(ids.size).toBe(20);
    expect(messages.length - ids.size).toBeLessThanOrEqual(2);
  });

  it.each([
    ["fails the message the third time, and says that it may have arrived", 1, "failed"],
    ["sends the message again after three times if no other was accepted since the first", 0, "queued"],
  ])("%s", async (_, others, state) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    for (let attempts = 1; attempts <= 3; attempts++) {
      await server.change({ replyDelayMs: 1_000 });
      await crash(outbox, async () => expect(await outbox.status(id)).toMatchObject({ attempts }));
      if (attempts === 2) await outbox.submitAll(Array(others).fill({}));
      await server.change({});
      await outbox.runAlarm();
    }
    const message = state === "failed" ? / The message may have arrived\.$/ : /^The attempt was interrupted/;
    expect(await outbox.status(id)).toMatchObject({
      state,
      attempts: 3,
      failure: { stage: "message", message: expect.stringMatching(message) },
    });
  });
});
