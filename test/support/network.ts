import { type Behaviour, CONTROL_URL } from "./issuer-network.ts";

/** A request that left the Worker under test. */
export interface SeenRequest {
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** Makes an address behave in a certain way from now on. */
export async function setBehaviour(address: string, behaviour: Behaviour): Promise<void> {
  await fetch(controlUrl(address), { method: "PUT", body: JSON.stringify(behaviour) });
}

/** The requests that an address has had so far. */
export async function requestsTo(address: string): Promise<SeenRequest[]> {
  return (await fetch(controlUrl(address))).json();
}

function controlUrl(address: string): string {
  return `${CONTROL_URL}?${new URLSearchParams({ address })}`;
}
