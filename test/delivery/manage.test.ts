import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { newOutbox } from "../support/outbox.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";
import { authenticated, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

const HOUR = 60 * 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

const all = { application: undefined, state: undefined, tag: undefined, before: undefined, limit: 100 };

describe("a message that is being sent", () => {
  it("is neither queued nor canceled nor retried nor expired", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ holdsReplies: true });
    const id = await outbox.submit({ expiresIn: 60 }, "key");
    const alarm = outbox.runAlarm();
    await eventually(async () =>
      expect(await outbox.status(id)).toMatchObject({ state: "sending", attempts: 1 }),
    );
    advanceClock(HOUR);
    expect(await outbox.delete(id)).toEqual({ kind: "wrong_state", state: "sending" });
    expect(await outbox.retry(id)).toEqual({ kind: "wrong_state", state: "sending" });
    expect(await outbox.stub.list({ ...all, state: "queued" })).toEqual([]);
    expect(await outbox.stub.list({ ...all, state: "sending" })).toMatchObject([{ id, state: "sending" }]);
    expect(await outbox.submit({ expiresIn: 60 }, "key")).toBe(id);
    await server.change({});
    await alarm;
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    expect((await server.state()).messages).toHaveLength(1);
  });

  it("is so before its content has left already", async () => {
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
    const id = await outbox.submit({ expiresIn: 60 });
    const alarm = outbox.runAlarm();
    await eventually(async () => expect((await server.state()).lines.join()).toContain("RCPT"));
    expect(await outbox.database.query("SELECT state FROM mail")).toEqual([{ state: "queued" }]);
    advanceClock(HOUR);
    expect(await outbox.delete(id)).toEqual({ kind: "wrong_state", state: "sending" });
    expect(await outbox.stub.list({ ...all, state: "expired" })).toEqual([]);
    expect(await outbox.stub.list({ ...all, state: "queued" })).toEqual([]);
    expect(await outbox.stub.list({ ...all, state: "sending" })).toMatchObject([{ id, state: "sending" }]);
    await server.release();
    await alarm;
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
  });
});

describe("a message that is canceled", () => {
  it("stays canceled if the session that was being opened for it fails", async () => {
    const server = await scriptedServer([{ wait: true }, { send: "421 4.3.2 no\r\n" }, { close: true }]);
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    const alarm = outbox.runAlarm();
    await eventually(async () => expect((await server.state()).connections).toBe(1));
    expect(await outbox.delete(id)).toMatchObject({ kind: "changed" });
    await server.release();
    await alarm;
    expect(await outbox.status(id)).toMatchObject({ state: "canceled", attempts: 0 });
  });

  it("may have had attempts, and stays canceled", async () => {
    const server = await mailServer({ reject: { recipient: "450 4.2.0 later" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.delete(id)).toMatchObject({
      kind: "changed",
      mail: { state: "canceled", attempts: 1 },
    });
    expect(await outbox.delete(id)).toEqual({ kind: "wrong_state", state: "canceled" });
    expect(await outbox.retry(id)).toEqual({ kind: "wrong_state", state: "canceled" });
  });
});

describe.each([
  ["failed", "550 5.1.1 unknown"],
  ["expired", "450 4.2.0 later"],
])("a message that is %s", (state, recipient) => {
  async function endedMessage() {
    const outbox = await newOutbox(await mailServer({ reject: { recipient } }));
    const id = await outbox.submit({ expiresIn: 60 });
    await outbox.runAlarm();
    while ((await outbox.states())[0] === "queued") await outbox.runAlarm();
    return { outbox, id };
  }

  it("keeps its state and its record without its content, if that is deleted, as often as asked", async () => {
    const { outbox, id } = await endedMessage();
    const before = await outbox.status(id);
    for (let request = 0; request < 2; request++) {
      advanceClock(1_000);
      expect(await outbox.delete(id)).toEqual({ kind: "changed", mail: { ...before, contentDeleted: true } });
    }
    expect(before).toMatchObject({ state });
    expect(await outbox.database.query("SELECT content, size FROM mail")).toEqual([
      { content: null, size: 0 },
    ]);
    advanceClock(7 * 24 * HOUR - 2_000 + HOUR);
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toBeUndefined();
  });

  it("cannot be retried without its content", async () => {
    const { outbox, id } = await endedMessage();
    await outbox.delete(id);
    expect(await outbox.retry(id)).toEqual({ kind: "content_deleted" });
    expect(await outbox.status(id)).toMatchObject({ state });
  });
});

describe("a retry", () => {
  it.each([
    ["failed", "550 5.1.1 unknown"],
    ["expired", "450 4.2.0 later"],
  ])(
    "queues a message that is %s again, with a new lifetime, the same Message-ID and the date of its acceptance",
    async (state, recipient) => {
      const server = await mailServer({ reject: { recipient } });
      const outbox = await newOutbox(server);
      const date = new Date().toUTCString().replace("GMT", "+0000");
      const id = await outbox.submit({ expiresIn: 60 });
      await outbox.runAlarm();
      while ((await outbox.states())[0] === "queued") await outbox.runAlarm();
      expect(await outbox.status(id)).toMatchObject({ state });
      advanceClock(24 * HOUR);
      await server.change({});
      expect(await outbox.retry(id)).toMatchObject({
        kind: "changed",
        mail: { id, state: "queued", attempts: 0, expiresAt: new Date(Date.now() + 60_000).toISOString() },
      });
      await outbox.runAlarm();
      expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
      const lines = (await server.state()).messages[0]?.raw.split("\r\n");
      expect(lines).toEqual(expect.arrayContaining([`Message-ID: <${id}@example.com>`, `Date: ${date}`]));
    },
  );

  it("starts the schedule of attempts over", async () => {
    const server = await mailServer({ reject: { recipient: "450 4.2.0 later" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit({ expiresIn: 3_600 });
    while ((await outbox.status(id))?.state === "queued") await outbox.runAlarm();
    await outbox.retry(id);
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      attempts: 1,
      nextAttemptAt: new Date(Date.now() + 60_000).toISOString(),
    });
  });

  it("happens once, however many requests arrive at once", async () => {
    const outbox = await newOutbox(await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
    const id = await outbox.submit();
    await outbox.runAlarm();
    const results = await Promise.all([outbox.retry(id), outbox.retry(id), outbox.retry(id)]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(["changed", "wrong_state", "wrong_state"]);
  });

  it("seals the message with the first key, as it may outlive the key that sealed it", async () => {
    const outbox = await newOutbox(await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
    const id = await outbox.submit();
    await outbox.runAlarm();
    const { jwks } = await newSettingsKeys("newer");
    const kidOf = async () => {
      const [row] = await outbox.database.query<{ content: string }>("SELECT content FROM mail");
      return JSON.parse(atob(row?.content.split(".")[0] ?? "")).kid;
    };
    expect(await kidOf()).toBe("test-1");
    const keys = [...jwks, ...JSON.parse(env.SETTINGS_KEYS).keys];
    await outbox.replaceBindings({ SETTINGS_KEYS: JSON.stringify({ keys }) });
    expect(await outbox.retry(id)).toMatchObject({ kind: "changed" });
    expect(await kidOf()).toBe("newer");
  });
});

describe("a list", () => {
  it("shows messages by state and tag, newest first, in pages", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "gone@example.com": "550 5.1.1 unknown" } });
    const ids: string[] = [];
    for (const tag of ["a", "b", "a", "b", "a"]) ids.unshift(await outbox.submit({ tag }));
    ids.unshift(await outbox.submit({ to: "gone@example.com", tag: "a" }));
    const listed = async (filter: Partial<typeof all> | object) =>
      (await outbox.stub.list({ ...all, ...filter })).map(({ id }) => id);
    expect(await listed({})).toEqual(ids);
    expect(await listed({ tag: "a" })).toEqual([ids[0], ids[1], ids[3], ids[5]]);
    expect(await listed({ limit: 2 })).toEqual(ids.slice(0, 2));
    expect(await listed({ limit: 2, before: ids[1] })).toEqual(ids.slice(2, 4));
    expect(await listed({ tag: "a", limit: 2, before: ids[1] })).toEqual([ids[3], ids[5]]);
    expect(await listed({ state: "sent" })).toEqual([]);
    await outbox.runAlarm();
    expect(await listed({ state: "sent" })).toEqual(ids.slice(1));
    expect(await listed({ state: "failed", tag: "a" })).toEqual([ids[0]]);
    expect(await listed({ state: "queued" })).toEqual([]);
    expect(await listed({ tag: "' OR 1=1 --" })).toEqual([]);
  });

  it("shows a message whose lifetime is over as expired, although no alarm has run", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit({ expiresIn: 60 });
    advanceClock(60_000);
    expect(await outbox.stub.list({ ...all, state: "expired" })).toMatchObject([{ id, state: "expired" }]);
  });
});
