import type { Behavior } from "./issuer-network.ts";

/** A resolver for DNS over HTTPS, on the network of the Worker under test, that responds with this code. */
export async function dnsBehavior(code: number): Promise<Behavior> {
  const response = dnsResponse(code);
  const body = Buffer.from(await response.arrayBuffer()).toString("base64");
  return { kind: "respond", body, encoding: "base64", headers: Object.fromEntries(response.headers) };
}

/** The response of a resolver for DNS over HTTPS with a response code. */
export function dnsResponse(code: number, init: ResponseInit = {}): Response {
  const message = Uint8Array.from([0, 0, 0x81, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0]);
  return new Response(message, { headers: { "Content-Type": "application/dns-message" }, ...init });
}
