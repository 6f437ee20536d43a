import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { openRecord, type SettingsRecord } from "../../src/settings/store.ts";
import { type CallOptions, call } from "./client.ts";
import { type Issuer, newIssuer } from "./issuer.ts";
import { type JsonResponse, readJson } from "./responses.ts";

/** A tenant's administrator, with a valid token and the tenant's own address. */
export interface Administrator {
  realm: Issuer;
  tenant: string;
  url: string;
  token: string;
  /** Sends a request, with the valid token by default. */
  send(options?: CallOptions): Promise<Response>;
  save(settings: unknown, options?: CallOptions): Promise<JsonResponse>;
  read(): Promise<JsonResponse>;
  delete(): Promise<JsonResponse>;
  /** The stored value, still sealed; `null` if nothing is stored. */
  sealed(): Promise<string | null>;
  /** The stored record, opened with the settings key. */
  opened(): Promise<SettingsRecord>;
}

/** Creates a tenant with its own realm and administrator. */
export async function newAdministrator(address: (tenant: string) => string): Promise<Administrator> {
  const realm = await newIssuer();
  const { tenant } = realm;
  const token = await realm.token();
  const url = address(tenant);
  const send = (options: CallOptions = {}) => call(url, { token, ...options });
  const sealed = () => env.SMTP_SETTINGS.get(`smtp:${tenant}`);
  return {
    realm,
    tenant,
    url,
    token,
    send,
    save: async (settings, options) => readJson(await send({ body: JSON.stringify(settings), ...options })),
    read: async () => readJson(await send()),
    delete: async () => readJson(await send({ method: "DELETE" })),
    sealed,
    opened: async () => openRecord(tenant, (await sealed()) ?? "", (await loadConfig(env)).settingsKeys),
  };
}

/** Sends a request that must be rejected, and asserts that nothing is stored. */
export async function errorResponse(ada: Administrator, options: CallOptions): Promise<JsonResponse> {
  const response = await readJson(await ada.send({ method: "POST", ...options }));
  expect(await ada.sealed()).toBeNull();
  return response;
}
