import type { Behavior } from "../issuer-network.ts";
import { type ReceivedRequest, requestsTo, setBehavior } from "../network.ts";

/** A scripted token endpoint. */
interface TokenEndpoint {
  url: string;
  respondWith(behavior: Behavior): Promise<void>;
  requests(): Promise<ReceivedRequest[]>;
}

/** Creates a token endpoint at an address of its own. */
export async function newTokenEndpoint(behavior: Behavior): Promise<TokenEndpoint> {
  const url = `https://${crypto.randomUUID()}.example.net/token`;
  await setBehavior(url, behavior);
  return { url, respondWith: (next) => setBehavior(url, next), requests: () => requestsTo(url) };
}

/** A JSON response. */
export function respondsWith(body: unknown, status = 200, headers: Record<string, string> = {}): Behavior {
  return {
    kind: "respond",
    status,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  };
}

/** A response with a token. */
export function issuesToken(members: object = {}): Behavior {
  return respondsWith({ access_token: "a-token", token_type: "Bearer", expires_in: 3_600, ...members });
}
