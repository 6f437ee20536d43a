import { randomBytes } from "node:crypto";
import { parseSettingsKeys } from "../../src/config.ts";

/** A fresh value for the secret `SETTINGS_KEYS`: a JWK Set with one 256-bit key, whose `kid` tells its age. */
export function newSettingsKeys(now = new Date()): string {
  return JSON.stringify({ keys: [newKey(now)] });
}

/**
 * The value for `SETTINGS_KEYS` that begins a rotation: a fresh key first, which seals from then on, and
 * all keys of the present value after it, which still open.
 *
 * @param present a JWK Set, or the line `SETTINGS_KEYS='...'` of a file of secrets
 * @throws {RefusedError} `misconfigured`, if the Worker would not take the present value either
 */
export async function rotatedSettingsKeys(present: string, now = new Date()): Promise<string> {
  const text = /^SETTINGS_KEYS='(.*)'$/.exec(present.trim())?.[1] ?? present;
  await parseSettingsKeys(text);
  const { keys } = JSON.parse(text) as { keys: object[] };
  return JSON.stringify({ keys: [newKey(now), ...keys] });
}

function newKey(now: Date): object {
  const kid = `${now.toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}`;
  const k = randomBytes(32).toString("base64url");
  return { kty: "oct", kid, alg: "A256KW", k };
}
