/** How an address behaves. */
export type Behavior =
  | {
      kind: "respond";
      status?: number;
      body: string;
      /** Default: `utf8`. */
      encoding?: "base64";
      headers?: Record<string, string>;
    }
  | { kind: "huge"; bytes: number }
  | { kind: "slow"; milliseconds: number; body: string }
  /** Responds once the behavior of the address changes. */
  | { kind: "held"; body: string }
  | { kind: "down" };

/** Where tests set how an address, or a method and an address, behaves (PUT), and read the requests it received (GET). */
export const CONTROL_URL = "https://network.test/control";

/**
 * The network of the Worker under test, for everything it fetches. Addresses respond 404 until a test sets a
 * {@link Behavior}. Runs in Node, so that requests really leave workerd.
 */
export function issuerNetwork(): (request: Request) => Promise<Response> {
  const behaviors = new Map<string, Behavior>();
  const held = new Map<string, PromiseWithResolvers<void>>();
  const requests = new Map<string, { method: string; headers: Record<string, string>; body: string }[]>();

  return async function respond(request) {
    const url = new URL(request.url);
    if (`${url.origin}${url.pathname}` === CONTROL_URL) {
      const address = url.searchParams.get("address") ?? "";
      if (request.method === "GET") return Response.json(requests.get(address) ?? []);
      behaviors.set(address, await request.json<Behavior>());
      held.get(address)?.resolve();
      held.set(address, Promise.withResolvers<void>());
      return new Response(null, { status: 204 });
    }
    const received = {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    requests.set(request.url, [...(requests.get(request.url) ?? []), received]);
    const behavior = behaviors.get(`${request.method} ${request.url}`) ?? behaviors.get(request.url);
    if (behavior?.kind === "held") await held.get(request.url)?.promise;
    return perform(behavior);
  };
}

async function perform(behavior: Behavior | undefined): Promise<Response> {
  switch (behavior?.kind) {
    case undefined:
      return new Response("not found", { status: 404 });
    case "respond":
      // A response without content must not have a body, not even an empty one.
      return new Response(behavior.body ? Buffer.from(behavior.body, behavior.encoding) : null, {
        status: behavior.status ?? 200,
        headers: behavior.headers ?? {},
      });
    case "huge":
      return new Response("x".repeat(behavior.bytes));
    case "held":
      return new Response(behavior.body);
    case "slow":
      await new Promise((resolve) => setTimeout(resolve, behavior.milliseconds));
      return new Response(behavior.body);
    case "down":
      throw new Error("connection refused");
  }
}
