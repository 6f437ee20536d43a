import { env } from "cloudflare:workers";
import { base64url } from "jose";
import { loadConfig } from "../../src/config.ts";

/** Creates settings keys: as the secret holds them, as the Worker parses them, and the first as bytes. */
export async function newSettingsKeys(...kids: [string, ...string[]]) {
  const raw = kids.map(() => crypto.getRandomValues(new Uint8Array(32)));
  const jwks = raw.map((bytes, index) => ({ kty: "oct", kid: kids[index], k: base64url.encode(bytes) }));
  const text = JSON.stringify({ keys: jwks });
  const { settingsKeys } = await loadConfig({ ...env, SETTINGS_KEYS: text });
  return { text, jwks, raw: raw[0] ?? new Uint8Array(), settingsKeys };
}
