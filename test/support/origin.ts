import { expect } from "vitest";
import { type CallOptions, call } from "./client.ts";
import type { Behavior } from "./issuer-network.ts";
import { requestsTo, setBehavior } from "./network.ts";

/** Asserts that a request with a token and a password gets 404, and never reaches the origin. */
export async function expectNotForwarded(
  url: string,
  bindings: NonNullable<CallOptions["env"]>,
): Promise<void> {
  const response = await call(url, { token: "a.b.c", body: { password: "app-password" }, env: bindings });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ status: "NOT_FOUND", subSystem: 8 });
  expect(await requestsTo(url)).toEqual([]);
}

/** Lets the origin respond at an address of the base host that no other test uses. */
export async function origin(
  path: string,
  { query = "", ...response }: Partial<Behavior & { kind: "respond" }> & { query?: string } = {},
): Promise<string> {
  const url = `https://example.com${path}?${query}&test=${crypto.randomUUID()}`;
  await setBehavior(url, { body: "the origin", ...response, kind: "respond" });
  return url;
}
