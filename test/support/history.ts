import { call } from "./client.ts";
import { families } from "./families.ts";

/** A page of history, as a response holds it. */
interface Page {
  entries: Record<string, unknown>[];
  cursor?: string;
}

/** The address of history in each family. */
export const histories = families.map(({ family, address }) => ({
  family,
  address: (tenant: string) => `${address(tenant)}/history`,
}));

/** Reads a page of a tenant's history at the address of the SSMS family. */
export async function readHistory(
  { tenant, token }: { tenant: string; token: string },
  query: Record<string, string> = {},
): Promise<Page> {
  const url = `${families[0].address(tenant)}/history?${new URLSearchParams(query)}`;
  const response = await call(url, { token });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}
