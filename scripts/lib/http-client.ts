import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { LOCAL_HOSTNAME } from "./local-issuer.ts";

/** A response of the Worker. */
export interface ReceivedResponse {
  /** Method and URL of the request. */
  request: string;
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** What a request carries. */
interface RequestOptions {
  /** Bearer token. */
  token?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: object;
  /** By default, each request opens its own connection. */
  agent?: https.Agent;
}

const LOOPBACK = "127.0.0.1";

const TIMEOUT_MS = 30_000;

/** URL of a tenant's settings, connection test or messages in the SSMS family, where the host names the tenant. */
export function ssmsUrl(
  protocol: "http" | "https",
  port: number,
  tenant: string,
  resource: "config" | "test" | "messages" = "config",
): string {
  return `${protocol}://${tenant}.${LOCAL_HOSTNAME}:${port}/digitanium/v4/mail/${resource}`;
}

/** URL of a tenant's settings in the SHIFT family, where the path names the tenant. */
export function shiftUrl(port: number, tenant: string): string {
  return `https://${LOCAL_HOSTNAME}:${port}/auth/realms/${tenant}/mail/setup`;
}

/**
 * Sends a request to a Worker on this machine.
 *
 * `fetch` relies on the system's resolver, and not every resolver knows `*.localhost`. The certificate is not
 * verified: wrangler ships it together with its private key.
 *
 * @throws {Error} if the connection fails, times out, or the body is not JSON
 */
export async function sendRequest(
  method: string,
  url: string,
  { token, headers, body, agent }: RequestOptions = {},
): Promise<ReceivedResponse> {
  const { protocol, host, hostname, port, pathname, search } = new URL(url);
  const options = {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      Host: host,
      ...headers,
    },
    host: LOOPBACK,
    port,
    path: pathname + search,
    servername: hostname,
    rejectUnauthorized: false,
    agent: agent ?? (false as const),
    timeout: TIMEOUT_MS,
  };
  const request = protocol === "https:" ? https.request(options) : http.request(options);
  request.on("timeout", () => request.destroy(new Error(`no response from ${url}`)));
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
  });
  return {
    request: `${method} ${url}`,
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: JSON.parse(await text(response)),
  };
}
