import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Outbox } from "../../src/delivery/outbox.ts";

// A simulation asks these thousands of times, and each answer takes milliseconds otherwise.

/** Keeps the settings of the tenants in memory. Restore the mocks afterwards. */
export function keepSettingsInMemory(): void {
  const values = new Map<string, string>();
  vi.spyOn(env.SMTP_SETTINGS, "put").mockImplementation(async (key, value) => {
    values.set(key, String(value));
  });
  const get = async (key: string) => values.get(key) ?? null;
  vi.spyOn(env.SMTP_SETTINGS, "get").mockImplementation(get as typeof env.SMTP_SETTINGS.get);
}

/** The alarm of an outbox. */
export interface WatchedAlarm {
  /** Its time, or `null`. */
  at: number | null;
}

/** Follows the alarm of an outbox from its calls. */
export async function watchAlarm(stub: DurableObjectStub<Outbox>): Promise<WatchedAlarm> {
  return runInDurableObject(stub, async (_, { storage }) => {
    const alarm: WatchedAlarm = { at: await storage.getAlarm() };
    const { setAlarm, deleteAlarm, deleteAll } = storage;
    vi.spyOn(storage, "setAlarm").mockImplementation((time, options) => {
      alarm.at = Number(time);
      return setAlarm.call(storage, time, options);
    });
    vi.spyOn(storage, "deleteAlarm").mockImplementation((options) => {
      alarm.at = null;
      return deleteAlarm.call(storage, options);
    });
    vi.spyOn(storage, "deleteAll").mockImplementation((options) => {
      alarm.at = null;
      return deleteAll.call(storage, options);
    });
    return alarm;
  });
}
