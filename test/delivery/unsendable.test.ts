import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Replaces the content of a message by one that no mail can be composed of. */
async function uncomposable(outbox: TestOutbox): Promise<string> {
  return `content = '${await outbox.seal({ mail: { to: 5 } })}'`;
}

describe("a message that we cannot send", () => {
  it("is retried if it cannot be decrypted, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll([{}, {}]);
    const [broken, other] = messages.map(({ id }) => id);
    await outbox.database.change("content = 'broken'", broken ?? "");
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      message: "delivery",
      tenant: outbox.tenant,
      id: broken,
      attempt: 1,
      state: "queued",
      reason: expect.any(String),
      milliseconds: 0,
    });
    expect(await outbox.status(broken ?? "")).toMatchObject({
      state: "queued",
      attempts: 1,
      nextAttemptAt: isoIn(MINUTE),
      failure: { message: "The stored message cannot be decrypted." },
    });
    expect(await outbox.status(other ?? "")).toMatchObject({ state: "sent" });
  });

  it("is retried if composing it fails, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll([{}, {}]);
    const [broken, other] = messages.map(({ id }) => id);
    await outbox.database.change(await uncomposable(outbox), broken ?? "");
    await outbox.runAlarm();
    expect(await outbox.status(broken ?? "")).toMatchObject({
      state: "queued",
      attempts: 1,
      nextAttemptAt: isoIn(MINUTE),
      failure: { message: "An unexpected error ended the attempt." },
    });
    expect(await outbox.status(other ?? "")).toMatchObject({ state: "sent" });
  });

  it("does not take the content of another tenant's message", async () => {
    const server = await mailServer();
    const [outbox, other] = [await newOutbox(server), await newOutbox(server)];
    const [id, stolen] = [await outbox.submit(), await other.submit({ to: "secret@example.com" })];
    const [row] = await other.database.query<{ content: string }>(
      `SELECT content FROM mail WHERE id = '${stolen}'`,
    );
    await outbox.database.change(`content = '${row?.content}'`, id);
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "queued",
      failure: { message: "The stored message cannot be decrypted." },
    });
    expect((await server.state()).messages).toEqual([]);
  });

  it("pauses nothing, however many there are", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll(Array(12).fill({}));
    const assignment = await uncomposable(outbox);
    for (const { id } of messages.slice(1)) await outbox.database.change(assignment, id);
    for (let alarm = 0; alarm < 3; alarm++) await outbox.runAlarm();
    expect(await outbox.database.keys()).not.toContain("pause");
    expect(await outbox.status(messages[0]?.id ?? "")).toMatchObject({ state: "sent" });
    expect(await outbox.status(messages[11]?.id ?? "")).toMatchObject({ state: "queued", attempts: 3 });
  });
});
