import { type Administrator, newAdministrator } from "../administrator.ts";
import { type CallOptions, call } from "../client.ts";
import type { families } from "../families.ts";
import { type JsonResponse, readJson } from "../responses.ts";

/** Lets the Worker under test dial this machine. */
const PRIVATE_HOSTS = { ALLOW_PRIVATE_HOSTS: "true" } as const;

/** An administrator with the email address `ada@example.com`, whose SMTP servers are on this machine. */
export interface SmtpTestClient {
  ada: Administrator;
  testUrl: string;
  /** Saves settings; `query` begins with `?`. */
  save(settings: unknown, query?: string, options?: CallOptions): Promise<JsonResponse>;
  /** Requests a test, without a request body by default. */
  test(body?: unknown, options?: CallOptions): Promise<JsonResponse>;
}

/** Creates a tenant and its administrator, who uses one address family. */
export async function newSmtpTestClient({
  address,
  testAddress,
}: (typeof families)[number]): Promise<SmtpTestClient> {
  const ada = await newAdministrator(address);
  const token = await ada.realm.token({ email: "ada@example.com" });
  const testUrl = testAddress(ada.tenant);
  return {
    ada,
    testUrl,
    save: async (settings, query = "", options) =>
      readJson(await call(`${ada.url}${query}`, { token, body: settings, env: PRIVATE_HOSTS, ...options })),
    test: async (body, options) =>
      readJson(await call(testUrl, { method: "POST", token, env: PRIVATE_HOSTS, body, ...options })),
  };
}
