import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mailSchema } from "../../src/delivery/schema.ts";
import { submit } from "../../src/delivery/submit.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { aMail, newOutbox } from "../support/outbox.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";
import { mailServer } from "../support/smtp/servers.ts";

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

describe("an idempotency key", () => {
  it("repeats the ids of its request in their present state, and sends nothing twice", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const batch = [{}, { to: "grace@example.com" }];
    const first = await outbox.submitAll(batch, "key");
    expect(first).toMatchObject({ replayed: false });
    expect(await outbox.submitAll(batch, "key")).toEqual({ ...first, replayed: true });
    await outbox.runAlarm();
    expect(await outbox.submitAll(batch, "key")).toMatchObject({
      replayed: true,
      messages: first.messages.map(({ id }) => ({ id, state: "sent" })),
    });
    expect(await outbox.states()).toEqual(["sent", "sent"]);
    expect((await server.state()).messages).toHaveLength(2);
  });

  it("counts once, however many requests arrive at once", async () => {
    const outbox = await newOutbox(await mailServer());
    const results = await Promise.all(Array.from({ length: 20 }, () => outbox.submit({}, "key")));
    expect(new Set(results).size).toBe(1);
    expect(await outbox.states()).toHaveLength(1);
  });

  it.each<[string, object[]]>([
    ["another recipient", [{ to: "grace@example.com" }]],
    ["another lifetime", [{ expiresIn: 60 }]],
    ["another tag", [{ tag: "other" }]],
    ["more messages", [{}, {}]],
  ])("belongs to one body: %s", async (_, batch) => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submitAll([{}], "key");
    await expect(outbox.submitAll(batch, "key")).rejects.toMatchObject({ kind: "idempotency_key_reused" });
    expect(await outbox.states()).toHaveLength(1);
  });

  it("distinguishes a mail from a batch of that mail", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit({}, "key");
    await expect(outbox.submitAll([{}], "key")).rejects.toMatchObject({ kind: "idempotency_key_reused" });
  });

  it("is independent of the order of the fields", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit({ tag: "a", expiresIn: 60 }, "key");
    expect(await outbox.submit({ expiresIn: 60, tag: "a" }, "key")).toBe(id);
  });

  it("belongs to one tenant", async () => {
    const server = await mailServer();
    const [acme, globex] = [await newOutbox(server), await newOutbox(server)];
    expect(await globex.submit({ to: "a@example.com" }, "key")).not.toBe(await acme.submit({}, "key"));
  });

  it("belongs to one application, so that no other learns of its mail, or takes the key first", async () => {
    const outbox = await newOutbox(await mailServer());
    const first = await outbox.submitAll([{}], "key");
    for (const [application, batch] of [
      ["guesser", [{}]],
      ["thief", [{ text: "other" }]],
    ] as const) {
      outbox.application = application;
      const other = await outbox.submitAll([...batch], "key");
      expect(other).toMatchObject({ replayed: false });
      expect(other.messages[0]?.id).not.toBe(first.messages[0]?.id);
    }
    expect(await outbox.states()).toHaveLength(3);
  });

  it("counts although the settings are deleted, and the outbox restarts", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit({}, "key");
    await outbox.save(undefined);
    await outbox.evict();
    expect(await outbox.submit({}, "key")).toBe(id);
    await expect(outbox.submit({}, "other")).rejects.toMatchObject({ kind: "nothing_stored" });
  });

  /** A batch with a key: the first message expires after two days, the second one is sent at once. */
  async function keyedBatch() {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 later" } });
    const batch = [{ to: "grey@example.com", expiresIn: 2 * 24 * 3600 }, {}];
    const submittedAt = Date.now();
    const { messages } = await outbox.submitAll(batch, "key");
    await outbox.runAlarm();
    while ((await outbox.states())[0] === "queued") await outbox.runAlarm();
    return { outbox, batch, ids: messages.map(({ id }) => id), submittedAt };
  }

  it("counts for 7 days, in which no message of its batch is forgotten", async () => {
    const { outbox, batch, ids, submittedAt } = await keyedBatch();
    advanceClock(submittedAt + 7 * DAY - 1 - Date.now());
    await outbox.runAlarmNow();
    expect(await outbox.submitAll(batch, "key")).toMatchObject({
      replayed: true,
      messages: [
        { id: ids[0], state: "expired" },
        { id: ids[1], state: "sent" },
      ],
    });
  });

  it.each(["by an alarm", "by nothing"])("counts no more afterwards, cleared %s", async (how) => {
    const { outbox, batch, ids, submittedAt } = await keyedBatch();
    advanceClock(submittedAt + 7 * DAY - Date.now());
    if (how === "by an alarm") await outbox.runAlarmNow();
    expect(await outbox.status(ids[0] ?? "")).toMatchObject({ state: "expired" });
    const again = await outbox.submitAll(batch, "key");
    expect(again).toMatchObject({ replayed: false });
    expect(again.messages[0]?.id).not.toBe(ids[0]);
    expect(await outbox.submitAll(batch, "key")).toEqual({ ...again, replayed: true });
  });

  it("is cleared with its fingerprint although its message lives on", async () => {
    const { outbox, ids, submittedAt } = await keyedBatch();
    advanceClock(6 * DAY);
    await outbox.retry(ids[0] ?? "");
    advanceClock(submittedAt + 7 * DAY - Date.now());
    await outbox.runAlarmNow();
    expect(await outbox.database.query("SELECT id, idempotency_key, fingerprint FROM mail")).toEqual([
      { id: ids[0], idempotency_key: null, fingerprint: null },
    ]);
  });

  it("counts while settings keys rotate", async () => {
    const outbox = await newOutbox(await mailServer());
    const { settingsKeys } = await newSettingsKeys("new", "old");
    const [sealing, old] = settingsKeys;
    if (old === undefined) throw new Error("no old key");
    const mail = mailSchema.parse(aMail);
    const submitWith = (keys: typeof settingsKeys) =>
      submit(env, { ...outbox.config, settingsKeys: keys }, outbox.tenant, mail, {
        application: outbox.application,
        idempotencyKey: "key",
      });
    await outbox.store(localSettings(587), [old]);
    const first = await submitWith([old]);
    expect(await submitWith([sealing, old])).toEqual({ ...first, replayed: true });
  });

  it("is stored with a fingerprint that only the settings keys can make", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit({ text: "123456" }, "key");
    const [row] = await outbox.database.query<{ fingerprint: string }>("SELECT fingerprint FROM mail");
    const [kid, fingerprint = ""] = row?.fingerprint.split(" ") ?? [];
    expect(kid).toBe("test-1");
    const text = new TextEncoder().encode(JSON.stringify(mailSchema.parse({ ...aMail, text: "123456" })));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
    expect(fingerprint).toHaveLength(43);
    expect(fingerprint).not.toBe(hash.toBase64({ alphabet: "base64url", omitPadding: true }));
  });
});
