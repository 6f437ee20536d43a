/** How an address behaves from now on. */
export type Behaviour =
  | { kind: "answer"; status?: number; body: string; headers?: Record<string, string> }
  | { kind: "huge"; bytes: number }
  | { kind: "slow"; milliseconds: number; body: string }
  | { kind: "down" };

/** Where tests tell the network how to behave, and ask it what it saw. */
export const CONTROL_URL = "https://network.test/control";

/**
 * Everything that the Worker under test can reach by `fetch`: a network without anything in it but what a
 * test puts there. Runs in Node, so that the Worker's requests really leave workerd.
 */
export function issuerNetwork(): (request: Request) => Promise<Response> {
  const behaviours = new Map<string, Behaviour>();
  const requests = new Map<string, { method: string; headers: Record<string, string>; body: string }[]>();

  return async function answer(request) {
    const url = new URL(request.url);
    if (`${url.origin}${url.pathname}` === CONTROL_URL) {
      const address = url.searchParams.get("address") ?? "";
      if (request.method === "GET") return Response.json(requests.get(address) ?? []);
      behaviours.set(address, (await request.json()) as Behaviour);
      return new Response(null, { status: 204 });
    }
    const seen = {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    requests.set(request.url, [...(requests.get(request.url) ?? []), seen]);
    return perform(behaviours.get(request.url));
  };
}

async function perform(behaviour: Behaviour | undefined): Promise<Response> {
  switch (behaviour?.kind) {
    case undefined:
      return new Response("nothing here", { status: 404 });
    case "answer":
      return new Response(behaviour.body, {
        status: behaviour.status ?? 200,
        headers: behaviour.headers ?? {},
      });
    case "huge":
      return new Response("x".repeat(behaviour.bytes));
    case "slow":
      await new Promise((resolve) => setTimeout(resolve, behaviour.milliseconds));
      return new Response(behaviour.body);
    case "down":
      throw new Error("connection refused");
  }
}
