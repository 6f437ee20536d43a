import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RotationCursor } from "../../src/key-rotation/cursor.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { cronTrigger } from "../support/rotation.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";
import { mailServer } from "../support/smtp/servers.ts";

const DAY = 24 * 60 * 60_000;

beforeEach(reset);
// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

/** Puts a newer key first, and says two days later which keys the cron trigger calls removable. */
async function rotate(outbox: TestOutbox) {
  const { jwks } = await newSettingsKeys("newer");
  const SETTINGS_KEYS = JSON.stringify({ keys: [...jwks, ...JSON.parse(env.SETTINGS_KEYS).keys] });
  await outbox.replaceBindings({ SETTINGS_KEYS });
  await new RotationCursor(env.SMTP_SETTINGS).write({ retired: { "test-1": new Date().toISOString() } });
  advanceClock(2 * DAY);
  return {
    /** The next runs: the first of them brings the entry of the outbox up to date. */
    removable: async () => {
      for (let run = 0; run < 2; run++) await cronTrigger({ SETTINGS_KEYS }, new Date());
      const { entries } = await cronTrigger({ SETTINGS_KEYS }, new Date());
      return entries.find(({ message }) => message === "rotation")?.removable;
    },
  };
}

describe("a key that no longer seals", () => {
  it("stays while the content of a message needs it, and may go with the content", async () => {
    const outbox = await newOutbox(await mailServer({ reject: { recipient: "550 5.1.1 unknown" } }));
    const id = await outbox.submit();
    await outbox.runAlarm();
    const { removable } = await rotate(outbox);
    expect(await removable()).toEqual([]);
    await outbox.delete(id);
    expect(await removable()).toEqual(["test-1"]);
  });

  it("stays while an idempotency key needs it: a retry would send twice otherwise", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit({}, "key");
    await outbox.runAlarm();
    const { removable } = await rotate(outbox);
    expect(await removable()).toEqual([]);
    advanceClock(5 * DAY);
    await outbox.runAlarmNow();
    expect(await removable()).toEqual(["test-1"]);
  });

  it("may go although the outbox knows what has worked with it", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await outbox.runAlarm();
    const { removable } = await rotate(outbox);
    expect(await outbox.database.keys()).toContain("evidence");
    expect(await removable()).toEqual(["test-1"]);
  });
});
