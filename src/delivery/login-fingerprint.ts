import { fieldsWith } from "../settings/fields.ts";
import type { Settings } from "../settings/schema.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { fingerprint, type SealingKeys } from "../storage/sealing.ts";

/**
 * Fingerprints what decides whether a server accepts a login and a sender, by each settings key. A save that leaves
 * it unchanged keeps what is known of the settings.
 */
export async function loginFingerprints(settings: Settings, keys: SealingKeys): Promise<string[]> {
  const values = { ...settings, ssl: tlsMode(settings) };
  const parts = fieldsWith("login", true).map((name) => values[name] ?? null);
  const text = `login ${JSON.stringify(parts)}`;
  return (await fingerprint("loginFingerprints", text, keys)).map(([kid, mac]) => `${kid} ${mac}`);
}
