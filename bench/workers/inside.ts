import { DurableObject } from "cloudflare:workers";
import ours from "../../src/index.ts";
import floor from "./floor.ts";

/**
 * Repeats a request inside the isolate, without TLS, HTTP, the store and the log.
 *
 * @returns the last response
 */
export default {
  async fetch(request, env, context) {
    const { url, method, headers } = request;
    const worker = env.WORKER === "ours" ? ours : floor;
    const body = method === "POST" ? await request.text() : null;
    // The same object each time: ours caches its configuration by it.
    bindings ??= { ...env, SMTP_SETTINGS: inMemory(), OUTBOX: withoutOutboxes() };
    let response = new Response();
    for (let time = 0; time < Number(env.TIMES); time++) {
      await response.body?.cancel();
      const repeated = new Request<unknown, IncomingRequestCfProperties>(url, { method, headers, body });
      response = await worker.fetch(repeated, bindings, context);
    }
    return response;
  },
} satisfies ExportedHandler<Env & { WORKER: "floor" | "ours"; TIMES: string }>;

let bindings: Env | undefined;

// Writing a log line costs more here than on Workers. Building it is still measured.
console.info = () => {};

/** The KV operations of both workers. Drops history, which would fill the memory. */
function inMemory(): KVNamespace {
  const values = new Map<string, string>();
  const kv = {
    get: async (key: string) => values.get(key) ?? null,
    put: async (key: string, value: string) => {
      if (value !== "") values.set(key, value);
    },
  };
  return kv as unknown as KVNamespace;
}

/** Drops what a save hands over: the floor has no outbox. */
function withoutOutboxes(): Env["OUTBOX"] {
  const outbox = { settingsChanged: async () => {} };
  return { getByName: () => outbox } as unknown as Env["OUTBOX"];
}

/** wrangler requires the class that `wrangler.toml` binds. */
export class Outbox extends DurableObject {}
