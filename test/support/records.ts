import { env } from "cloudflare:workers";
import type { Config } from "../../src/config.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import type { SettingsRecord } from "../../src/settings/store.ts";
import { SettingsStore } from "../../src/settings/store.ts";

/** Long enough ago that KV shows the record everywhere, so a rotation reseals it. */
export const LONG_AGO = "2026-01-01T00:00:00.000Z";

/** The password in the record of a tenant, unique so that tests can search for it. */
export function passwordOf(tenant: string): string {
  return `secret-of-${tenant}`;
}

/** Builds a tenant's record. */
export function recordOf(tenant: string, changes: Partial<SettingsRecord> = {}): SettingsRecord {
  const settings = settingsSchema.parse({
    host: "smtp.example.net",
    from: "sender@example.com",
    starttls: true,
    user: "sender@example.com",
    password: passwordOf(tenant),
  });
  return { settings, updatedAt: LONG_AGO, updatedBy: "ada", version: crypto.randomUUID(), ...changes };
}

/** Stores a record for each tenant, sealed with the first of `keys`. */
export async function storeRecords(
  tenants: readonly string[],
  keys: Config["settingsKeys"],
  changes: Partial<SettingsRecord> = {},
): Promise<void> {
  const store = new SettingsStore(env.SMTP_SETTINGS, keys);
  await Promise.all(tenants.map((tenant) => store.write(tenant, recordOf(tenant, changes))));
}

/** Creates tenant names, in the order in which KV lists them. */
export function tenantNames(count: number, prefix = "t"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(5, "0")}`);
}
