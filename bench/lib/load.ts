import { setTimeout as wait } from "node:timers/promises";
import autocannon from "autocannon";
import { cpuSeconds } from "./cpu.ts";
import type { BenchRequest } from "./operations.ts";
import type { Subject } from "./rounds.ts";

/** Result of one round. */
export interface Sample {
  requestsPerSecond: number;
  /** CPU time of the server per request. */
  cpuMicroseconds: number;
}

/** Requests in flight. */
export const CONNECTIONS = 16;

/** Requests per connection in a round. Bounds what a round of saves stores. */
const MAX_REQUESTS = 2_000;

/** For work after the response, such as writing history. */
const SETTLE_MS = 200;

/**
 * Sends the requests of an operation in turn. Each connection starts with a different one.
 *
 * @throws {Error} if a request fails or a status is not the expected one
 */
export async function load({ server, operation }: Subject, seconds: number): Promise<Sample> {
  const { port, pid } = server;
  const { status, requests } = operation;
  const wire = requests.map(toWire);
  let clients = 0;
  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  const { errors, statusCodeStats } = await autocannon({
    url: `https://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    duration: seconds,
    maxConnectionRequests: MAX_REQUESTS,
    sampleInt: 50,
    setupClient: (client) => {
      const first = Math.floor((clients++ * wire.length) / CONNECTIONS);
      client.setRequests([...wire.slice(first), ...wire.slice(0, first)]);
    },
  });
  const elapsed = (performance.now() - startedAt) / 1000;
  await wait(SETTLE_MS);
  const cpu = cpuSeconds(pid) - cpuBefore;
  const received = Object.keys(statusCodeStats ?? {}).join(", ");
  if (errors > 0 || received !== String(status)) {
    throw new Error(`${requests[0]?.path}: expected ${status}, got ${received} and ${errors} errors`);
  }
  const count = statusCodeStats?.[`${status}`]?.count ?? 0;
  return { requestsPerSecond: count / elapsed, cpuMicroseconds: (cpu / count) * 1e6 };
}

function toWire({ method, path, token, body }: BenchRequest): autocannon.Request {
  const type = body && { "content-type": "application/json" };
  const headers = { host: "localhost", authorization: `Bearer ${token}`, ...type };
  return { method, path, headers, body: body && JSON.stringify(body) };
}
