import { call } from "./client.ts";

/** A page of history, as a response holds it. */
export interface Page {
  entries: Record<string, unknown>[];
  cursor?: string;
}

/** The address of history in each family. */
export const histories = [
  {
    family: "SSMS",
    address: (tenant: string) => `https://${tenant}.example.com/digitanium/v4/mail/config/history`,
  },
  {
    family: "SHIFT",
    address: (tenant: string) => `https://example.com/auth/realms/${tenant}/mail/setup/history`,
  },
] as const;

/** Reads a page of a tenant's history at the address of the SSMS family. */
export async function readHistory(
  { tenant, token }: { tenant: string; token: string },
  query: Record<string, string> = {},
): Promise<Page> {
  const url = `${histories[0].address(tenant)}?${new URLSearchParams(query)}`;
  const response = await call(url, { token });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}
