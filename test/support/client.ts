import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import worker from "../../src/index.ts";

/** What a test may say of a request. */
export interface Call {
  method?: string;
  token?: string;
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is a string or bytes, which are sent as they are. */
  body?: unknown;
  /** Bindings that replace those of the Worker. */
  env?: Partial<Env>;
}

/** Sends a request to the Worker under test, as the runtime would. */
export async function call(
  url: string,
  { method, token, headers, body, env: changes }: Call = {},
): Promise<Response> {
  const request = new Request(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    redirect: "manual",
    ...(body === undefined ? {} : { body: encoded(body) }),
  });
  if (changes === undefined) return exports.default.fetch(request);
  const context = createExecutionContext();
  const response = await worker.fetch(request, { ...env, ...changes }, context);
  await waitOnExecutionContext(context);
  return response;
}

function encoded(body: unknown): BodyInit {
  if (typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream) return body;
  return JSON.stringify(body);
}
