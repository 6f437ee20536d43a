import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { open, type SettingsRecord } from "../../src/settings/vault.ts";
import { type Call, call } from "./client.ts";
import { type Issuer, newIssuer, newTenant } from "./issuer.ts";

/** What a test asserts of an answer. */
export interface Seen {
  httpStatus: number;
  body: unknown;
}

/** A tenant's administrator, who holds a good token and talks to the tenant's own address. */
export interface Administrator {
  realm: Issuer;
  tenant: string;
  url: string;
  token: string;
  /** A request with the good token, unless told otherwise. */
  send(changes?: Call): Promise<Response>;
  save(settings: unknown, changes?: Call): Promise<Seen>;
  read(): Promise<Seen>;
  delete(): Promise<Seen>;
  /** The value in KV as it is, or `null`. */
  sealed(): Promise<string | null>;
  /** What lies sealed in KV, opened with the settings key. */
  opened(): Promise<SettingsRecord>;
}

/** Makes a new tenant with a realm of its own, and logs its administrator in. */
export async function newAdministrator(address: (tenant: string) => string): Promise<Administrator> {
  const tenant = newTenant();
  const realm = await newIssuer(tenant, "ES256");
  const token = await realm.token();
  const url = address(tenant);
  const send = (changes: Call = {}) => call(url, { token, ...changes });
  const sealed = () => env.SMTP_SETTINGS.get(`smtp:${tenant}`);
  return {
    realm,
    tenant,
    url,
    token,
    send,
    save: async (settings, changes) => seen(await send({ body: JSON.stringify(settings), ...changes })),
    read: async () => seen(await send()),
    delete: async () => seen(await send({ method: "DELETE" })),
    sealed,
    opened: async () => open(tenant, (await sealed()) ?? "", (await loadConfig(env)).settingsKeys),
  };
}

/** Status and body of an answer together, so that neither is forgotten. */
export async function seen(response: Response): Promise<Seen> {
  return { httpStatus: response.status, body: await response.json() };
}

/** Sends what has to be refused, and makes sure that nothing was stored. */
export async function refusalFor(ada: Administrator, changes: Call): Promise<Seen> {
  const refusal = await seen(await ada.send({ method: "POST", ...changes }));
  expect(await ada.sealed()).toBeNull();
  return refusal;
}
