import { type Administrator, newAdministrator, type Seen, seen } from "../administrator.ts";
import { type Call, call } from "../client.ts";
import type { families } from "../families.ts";

/** Lets the Worker under test dial this machine. */
export const PRIVATE_HOSTS = { ALLOW_PRIVATE_HOSTS: "true" } as const;

/** An administrator with the email address `ada@example.com`, who saves and tests settings of this machine. */
export interface Tester {
  ada: Administrator;
  testUrl: string;
  /** Saves settings; `query` begins with `?`. */
  save(settings: unknown, query?: string, changes?: Call): Promise<Seen>;
  /** Asks for a test; without `body`, none is sent. */
  test(body?: unknown, changes?: Call): Promise<Seen>;
}

/** Makes a tenant and its administrator, at the addresses of a family. */
export async function newTester({ address, testAddress }: (typeof families)[number]): Promise<Tester> {
  const ada = await newAdministrator(address);
  const token = await ada.realm.token({ email: "ada@example.com" });
  const testUrl = testAddress(ada.tenant);
  const order: Call = { method: "POST", token, env: PRIVATE_HOSTS };
  return {
    ada,
    testUrl,
    save: async (settings, query = "", changes) =>
      seen(await call(`${ada.url}${query}`, { token, body: settings, env: PRIVATE_HOSTS, ...changes })),
    test: async (body, changes) =>
      seen(await call(testUrl, { ...order, ...(body === undefined ? {} : { body }), ...changes })),
  };
}
