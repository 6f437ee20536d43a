import type { Settings } from "../settings/schema.ts";
import { tlsMode } from "../smtp/tls-mode.ts";
import { fingerprint, type SealingKeys } from "../storage/sealing.ts";

/**
 * Fingerprints what decides whether a server accepts a login and a sender, by each settings key. A save that leaves
 * it unchanged keeps what is known of the settings.
 */
export async function loginFingerprints(settings: Settings, keys: SealingKeys): Promise<string[]> {
  const { host, port, auth, authType, user, password, from, envelopeFrom } = settings;
  const { authTokenUrl, authTokenScope, authTokenClientId, authTokenGrantType } = settings;
  const { authTokenClientSecret, authTokenPrivateKey } = settings;
  const server = [host, port, tlsMode(settings)];
  const login = [auth, authType, user, password];
  const token = [authTokenUrl, authTokenScope, authTokenClientId, authTokenGrantType];
  const secrets = [authTokenClientSecret, authTokenPrivateKey];
  const parts = [...server, ...login, ...token, ...secrets, from, envelopeFrom];
  const text = `login ${JSON.stringify(parts.map((part) => part ?? null))}`;
  return (await fingerprint(text, keys)).map(([kid, mac]) => `${kid} ${mac}`);
}
