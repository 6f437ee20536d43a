import ours from "../../src/index.ts";
import floor from "./floor.ts";

/**
 * Repeats a request within one: no TLS, no HTTP, no store and no log, only what a Worker does itself. `x-contender`
 * says who, `x-times` how often.
 *
 * @returns the last answer
 */
export default {
  async fetch(request, env, context) {
    const { url, method, headers } = request;
    const body = method === "POST" ? await request.text() : null;
    const times = Number(headers.get("x-times"));
    const fetch = headers.get("x-contender") === "ours" ? ours.fetch : floor.fetch;
    // The same object each time, as ours keeps its configuration by it.
    bindings ??= { ...env, SMTP_SETTINGS: inMemory() };
    let answer = new Response();
    for (let time = 0; time < times; time++) {
      await answer.body?.cancel();
      const repeated = new Request<unknown, IncomingRequestCfProperties>(url, { method, headers, body });
      answer = await fetch(repeated, bindings, context);
    }
    return answer;
  },
} satisfies ExportedHandler<Env>;

let bindings: Env | undefined;

// Writing a line of the log costs more here than on Workers; what makes the line is measured.
console.info = () => {};

/** What the contenders use of KV. History is dropped, or it would fill the memory. */
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
