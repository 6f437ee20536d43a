import { randomBytes } from "node:crypto";
import { parseSettingsKeys } from "../../src/config.ts";

/** Creates a value for the secret `SETTINGS_KEYS`: a JWK Set with one 256-bit key, whose `kid` starts with the date. */
export function newSettingsKeys(now = new Date()): string {
  return JSON.stringify({ keys: [newKey(now)] });
}

/**
 * The value for `SETTINGS_KEYS` that starts a rotation: a new key first, which seals from now on, followed by
 * the current keys, which still open what they sealed.
 *
 * @param current a JWK Set, or the line `SETTINGS_KEYS='...'` of a secrets file
 * @throws {ConfigError} if the Worker would reject the current value
 */
export async function rotatedSettingsKeys(current: string, now = new Date()): Promise<string> {
  const text = /^SETTINGS_KEYS='(.*)'$/.exec(current.trim())?.[1] ?? current;
  await parseSettingsKeys(text);
  const { keys } = JSON.parse(text) as { keys: object[] };
  return JSON.stringify({ keys: [newKey(now), ...keys] });
}

function newKey(now: Date): object {
  const kid = `${now.toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}`;
  const k = randomBytes(32).toString("base64url");
  return { kty: "oct", kid, alg: "A256KW", k };
}
