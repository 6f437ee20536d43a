import { SAMPLE_SETTINGS } from "../../scripts/lib/sample-settings.ts";
import { loadConfig } from "../../src/config.ts";
import type { HistoryEntry } from "../../src/history/entry.ts";
import { HistoryStore } from "../../src/history/store.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { MEASURED_TENANTS, tenantAt } from "../lib/population.ts";

/** History of the tenants that are measured: one full page. */
const PAGE_ENTRIES = 50;

/** Tenants that are stored at once. */
const BATCH = 10;

/** Stores tenants in KV as ours stores them: settings, and an entry of history, or a page if they are measured. */
export default {
  async fetch(request, env) {
    const tenants = Number(new URL(request.url).searchParams.get("tenants"));
    const settings = settingsSchema.parse(SAMPLE_SETTINGS);
    const store = new SettingsStore(env.SMTP_SETTINGS, (await loadConfig(env)).settingsKeys);
    const history = new HistoryStore(env.SMTP_SETTINGS);
    async function storeTenant(index: number): Promise<void> {
      const tenant = tenantAt(index);
      const [updatedAt, version] = [new Date().toISOString(), crypto.randomUUID()];
      await store.write(tenant, { settings, updatedAt, updatedBy: "seeder", version });
      const isMeasured = index % (tenants / MEASURED_TENANTS) === 0;
      for (let entries = isMeasured ? PAGE_ENTRIES : 1; entries > 0; entries--) {
        await history.append(tenant, entryAt(Date.now() - entries * 60_000));
      }
    }
    for (let first = 0; first < tenants; first += BATCH) {
      await Promise.all(Array.from({ length: BATCH }, (_, index) => storeTenant(first + index)));
    }
    return new Response();
  },
} satisfies ExportedHandler<Env>;

function entryAt(time: number): HistoryEntry {
  const request = { family: "SHIFT" as const, requestId: crypto.randomUUID() };
  const by = { preferred_username: "local-admin" };
  return { at: new Date(time).toISOString(), action: "saved", ...request, by, changed: ["host"] };
}
