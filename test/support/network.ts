import { type Behavior, CONTROL_URL } from "./issuer-network.ts";

/** A request that left the Worker under test. */
export interface ReceivedRequest {
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** Sets how an address, or `{method} {address}`, behaves from now on. */
export async function setBehavior(address: string, behavior: Behavior): Promise<void> {
  await fetch(controlUrl(address), { method: "PUT", body: JSON.stringify(behavior) });
}

/** The requests that an address has received so far. */
export async function requestsTo(address: string): Promise<ReceivedRequest[]> {
  return (await fetch(controlUrl(address))).json();
}

function controlUrl(address: string): string {
  return `${CONTROL_URL}?${new URLSearchParams({ address })}`;
}
