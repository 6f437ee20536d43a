import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import worker from "../../src/index.ts";

/** The variable parts of a request. */
export interface CallOptions {
  /** Default: `POST` with a body, otherwise `GET`. */
  method?: string;
  token?: string;
  headers?: Record<string, string>;
  /** Strings, bytes and streams are sent unchanged, anything else as JSON. */
  body?: unknown;
  /** Bindings that replace those of the Worker. With it, the call waits for the Worker's background work. */
  env?: Partial<Env>;
}

/** Sends a request to the Worker under test. */
export async function call(
  url: string,
  { method, token, headers, body, env: bindings }: CallOptions = {},
): Promise<Response> {
  const request = new Request(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    redirect: "manual",
    ...(body === undefined ? {} : { body: toBodyInit(body) }),
  });
  if (bindings === undefined) return exports.default.fetch(request);
  const context = createExecutionContext();
  const response = await worker.fetch(request, { ...env, ...bindings }, context);
  await waitOnExecutionContext(context);
  return response;
}

function toBodyInit(body: unknown): BodyInit {
  if (typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream) return body;
  return JSON.stringify(body);
}
