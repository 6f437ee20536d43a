import type { Agent } from "node:https";
import { type ReceivedResponse, sendRequest } from "../../scripts/lib/http-client.ts";
import type { LocalIssuer } from "../../scripts/lib/local-issuer.ts";
import { SAMPLE_SETTINGS } from "../../scripts/lib/sample-settings.ts";
import type { Server } from "./server.ts";

/** A tenant and a token of its administrator. */
export interface Tenant {
  id: string;
  token: string;
}

/** A request that is measured. */
export interface BenchRequest {
  method: "GET" | "POST";
  path: string;
  token: string;
  body?: object;
}

/** Requests that are measured together, sent in turn. */
export interface Operation {
  title: string;
  /** The expected status of every response. */
  status: number;
  requests: readonly BenchRequest[];
}

/** The first `count` tenants. */
export function firstTenants(count: number, issuer: LocalIssuer): Promise<Tenant[]> {
  const ids = Array.from({ length: count }, (_, index) => `tenant-${index}`);
  return Promise.all(ids.map(async (id) => ({ id, token: await issuer.token(id) })));
}

/** Saves the sample settings of each tenant. */
export function saving(tenants: readonly Tenant[]): Operation {
  const post = { method: "POST" as const, body: SAMPLE_SETTINGS };
  return { title: "save", status: 200, requests: tenants.map((tenant) => ({ ...get(tenant), ...post })) };
}

/** Reads the settings of each tenant. */
export function reading(tenants: readonly Tenant[]): Operation {
  return { title: "read", status: 200, requests: tenants.map((tenant) => get(tenant)) };
}

/** Reads the first page of each tenant's history. */
export function readingHistory(tenants: readonly Tenant[]): Operation {
  return { title: "history page", status: 200, requests: tenants.map((tenant) => get(tenant, "/history")) };
}

/** Sends a token whose signature is another token's: the forgery that costs the most to reject. */
export async function forging(issuer: LocalIssuer): Promise<Operation> {
  const [valid, other] = [await issuer.token("forged"), await issuer.token("other")];
  const token = valid.slice(0, valid.lastIndexOf(".")) + other.slice(other.lastIndexOf("."));
  return { title: "forged token", status: 401, requests: [get({ id: "forged", token })] };
}

function get({ id, token }: Tenant, resource = ""): BenchRequest {
  return { method: "GET", path: `/auth/realms/${id}/mail/setup${resource}`, token };
}

/**
 * Sends every request of an operation once.
 *
 * @returns the first response
 * @throws {Error} if a status is not the expected one
 */
export async function sendAll(
  { port }: Server,
  { status, requests }: Operation,
  agent: Agent,
): Promise<ReceivedResponse> {
  const responses = await Promise.all(
    requests.map(({ method, path, ...options }) =>
      sendRequest(method, `https://localhost:${port}${path}`, { ...options, agent }),
    ),
  );
  const wrong = responses.find((response) => response.status !== status);
  const [first] = responses;
  if (first === undefined || wrong !== undefined) {
    throw new Error(`expected ${status}, got ${JSON.stringify(wrong)}`);
  }
  return first;
}
