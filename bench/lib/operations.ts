import type { LocalIssuer } from "../../scripts/lib/local-issuer.ts";
import { SAMPLE_SETTINGS } from "../../scripts/lib/sample-settings.ts";
import type { LoadRequest } from "./load.ts";
import type { Plan } from "./plan.ts";
import { tenantAt } from "./population.ts";

export type OperationName = "save" | "read" | "bogus" | "plain";

/** Something that is measured with each contender. */
export interface Operation {
  name: OperationName;
  title: string;
  scheme: "http" | "https";
  /** The status of every answer. */
  status: number;
  /** Sent in turn. */
  requests: readonly LoadRequest[];
}

/** What is measured side by side, in an order in which reads find what saves have stored. */
export async function operationsFor(issuer: LocalIssuer, { tenants }: Plan): Promise<Operation[]> {
  const names = Array.from({ length: tenants }, (_, index) => tenantAt(index));
  const signed = await Promise.all(
    names.map(async (tenant) => [tenant, await issuer.token(tenant)] as const),
  );
  const saves = signed.map(([tenant, token]) => saveOf(tenant, token));
  const reads = signed.map(([tenant, token]) => readOf(tenant, token));
  const bogus = [readOf("forged", await forgedToken(issuer))];
  return [
    { name: "save", title: "warm save", scheme: "https", status: 200, requests: saves },
    { name: "read", title: "warm read", scheme: "https", status: 200, requests: reads },
    { name: "bogus", title: "bogus token", scheme: "https", status: 401, requests: bogus },
    { name: "plain", title: "plain http", scheme: "http", status: 403, requests: reads },
  ];
}

/** Saves the sample settings. */
export function saveOf(tenant: string, token: string): LoadRequest {
  const { headers, path } = readOf(tenant, token);
  const body = JSON.stringify(SAMPLE_SETTINGS);
  return { method: "POST", path, headers: { ...headers, "content-type": "application/json" }, body };
}

/** Reads the settings, or what is at `below` them. */
export function readOf(tenant: string, token: string, below = ""): LoadRequest {
  const headers = { host: "localhost", authorization: `Bearer ${token}` };
  return { method: "GET", path: `/auth/realms/${tenant}/mail/setup${below}`, headers };
}

/** A token that is in order but for its signature: the bogus one that costs the most to refuse. */
async function forgedToken(issuer: LocalIssuer): Promise<string> {
  const [good, other] = [await issuer.token("forged"), await issuer.token("other")];
  return good.slice(0, good.lastIndexOf(".")) + other.slice(other.lastIndexOf("."));
}
