import { randomBytes } from "node:crypto";

/** A fresh value for the secret `SETTINGS_KEYS`: a JWK Set with one 256-bit key, whose `kid` tells its age. */
export function newSettingsKeys(now = new Date()): string {
  const kid = `${now.toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}`;
  const k = randomBytes(32).toString("base64url");
  return JSON.stringify({ keys: [{ kty: "oct", kid, alg: "A256KW", k }] });
}
