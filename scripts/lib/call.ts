import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";

/** An answer of the Worker. */
export interface Answer {
  /** Method and address of the request. */
  request: string;
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
}

const LOOPBACK = "127.0.0.1";

/**
 * Sends a request to a Worker on this machine.
 *
 * Not `fetch`, which follows what the system's resolver says: not every one knows `*.localhost`. wrangler's
 * certificate is the same one everywhere, its private key being public, so there is nothing to verify.
 */
export async function call(
  method: string,
  address: string,
  { token, body }: { token?: string; body?: object } = {},
): Promise<Answer> {
  const url = new URL(address);
  const options = {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      Host: url.host,
    },
    host: LOOPBACK,
    port: url.port,
    path: url.pathname + url.search,
    servername: url.hostname,
    rejectUnauthorized: false,
    agent: false as const,
    timeout: 30_000,
  };
  const request = url.protocol === "https:" ? https.request(options) : http.request(options);
  request.on("timeout", () => request.destroy(new Error(`no answer from ${address}`)));
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
  });
  return {
    request: `${method} ${address}`,
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: JSON.parse(await text(response)),
  };
}
