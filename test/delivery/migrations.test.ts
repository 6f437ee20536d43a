import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mailSchema } from "../../src/delivery/schema.ts";
import { fingerprint } from "../../src/storage/sealing.ts";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { aMail, newOutbox, recordOf } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";
import { restoreStorage020 } from "./fixtures/storage-0.2.0.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

/** An outbox with the storage of version 0.2.0, and a server that accepts everything. */
async function restoredOutbox() {
  const server = await mailServer();
  const outbox = await newOutbox(server);
  const content = await outbox.seal({ mail: aMail });
  const settings = await outbox.seal(recordOf(localSettings(server.port)));
  const now = Date.now();
  const ids = await runInDurableObject(outbox.stub, (_, { storage }) =>
    restoreStorage020(storage, { now, content, settings }),
  );
  await outbox.evict();
  return { server, outbox, ids };
}

describe("an outbox of version 0.2.0", () => {
  it("keeps its messages and their states", async () => {
    const { outbox, ids } = await restoredOutbox();
    for (const [id, expected] of [
      [ids.sent, { state: "sent", attempts: 1 }],
      [ids.failedOfBatch, { state: "failed", failure: { smtpCode: 550 } }],
      [ids.failedUnknown, { state: "failed", attempts: 3 }],
      [ids.queuedDeferred, { state: "queued", attempts: 2, failure: { smtpCode: 450 } }],
      [ids.queuedUntried, { state: "queued", attempts: 0 }],
      [ids.expired, { state: "expired" }],
      [ids.canceled, { state: "canceled" }],
    ] as const) {
      expect(await outbox.status(id)).toMatchObject(expected);
    }
  });

  it("continues the schedule of each message", async () => {
    const { outbox, ids } = await restoredOutbox();
    const columns = "step, unknown_outcomes, tried_at IS NULL AS untried, unknown_since IS NULL AS known";
    const read = async (id: string) =>
      (
        await outbox.database.query<Record<string, number>>(`SELECT ${columns} FROM mail WHERE id = '${id}'`)
      )[0];
    await outbox.status(ids.queuedUntried);
    expect(await read(ids.queuedUntried)).toEqual({ step: 0, unknown_outcomes: 0, untried: 1, known: 1 });
    expect(await read(ids.queuedDeferred)).toEqual({ step: 2, unknown_outcomes: 0, untried: 0, known: 1 });
    expect(await read(ids.queuedUnknown)).toEqual({ step: 1, unknown_outcomes: 1, untried: 0, known: 0 });
    expect(await read(ids.sending)).toEqual({ step: 0, unknown_outcomes: 0, untried: 0, known: 1 });
  });

  it("retries a message after a minute that was being sent for the first time", async () => {
    const { outbox, ids } = await restoredOutbox();
    await outbox.stub.ensureAlarm();
    await outbox.runAlarm();
    expect(await outbox.status(ids.sending)).toMatchObject({
      state: "queued",
      attempts: 1,
      nextAttemptAt: isoIn(60_000),
    });
  });

  it("sends what waits, with the settings that were handed over", async () => {
    const { server, outbox, ids } = await restoredOutbox();
    await outbox.stub.ensureAlarm();
    for (let alarm = 0; alarm < 4; alarm++) await outbox.runAlarm();
    for (const id of [ids.queuedUntried, ids.queuedDeferred, ids.queuedUnknown, ids.sending]) {
      expect(await outbox.status(id), id).toMatchObject({ state: "sent" });
    }
    expect((await server.state()).messages).toHaveLength(4);
  });

  it("still honors its idempotency keys", async () => {
    const { outbox, ids } = await restoredOutbox();
    await outbox.status(ids.sent);
    expect(await outbox.database.query("SELECT id FROM mail WHERE idempotency_key = 'order-1'")).toEqual([
      { id: ids.queuedUntried },
    ]);
  });

  it("honors them for every application, as it did", async () => {
    const { outbox, ids } = await restoredOutbox();
    await outbox.status(ids.sent);
    const request = JSON.stringify(mailSchema.parse(aMail));
    const [stored] = await fingerprint("idempotencyKeys", request, outbox.config.settingsKeys);
    await outbox.database.change(`fingerprint = '${stored?.join(" ")}'`, ids.queuedUntried);
    outbox.application = "anyone";
    expect(await outbox.submit({}, "order-1")).toBe(ids.queuedUntried);
    await expect(outbox.submit({ text: "other" }, "order-1")).rejects.toMatchObject({
      kind: "idempotency_key_reused",
    });
  });

  it("shows its messages to every application, as it did", async () => {
    const { outbox, ids } = await restoredOutbox();
    expect(await outbox.stub.get(ids.sent, "anyone")).toMatchObject({ state: "sent" });
  });

  it("is migrated once", async () => {
    const { outbox, ids } = await restoredOutbox();
    await outbox.status(ids.sent);
    await outbox.database.change("step = 5", ids.queuedDeferred);
    await outbox.evict();
    await outbox.status(ids.sent);
    expect(await outbox.database.query(`SELECT step FROM mail WHERE id = '${ids.queuedDeferred}'`)).toEqual([
      { step: 5 },
    ]);
  });

  it("has the tables of a new outbox", async () => {
    const { outbox, ids } = await restoredOutbox();
    await outbox.status(ids.sent);
    const fresh = await newOutbox(await mailServer());
    await fresh.submit();
    const schema = "SELECT name, type FROM pragma_table_info('mail') ORDER BY name";
    expect(await outbox.database.query(schema)).toEqual(await fresh.database.query(schema));
  });
});
