import { setTimeout as wait } from "node:timers/promises";
import autocannon from "autocannon";
import type { Plan } from "./plan.ts";
import { cpuSeconds } from "./proc.ts";
import type { Server } from "./server.ts";
import { quantile, type Spread, spread } from "./stats.ts";

/** A request to send over and over. */
export interface LoadRequest {
  method: "GET" | "POST";
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** What one round has shown. */
export interface Sample {
  requests: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Of the server, user and system together. */
  cpuMicroseconds: number;
}

/** What several rounds have shown. */
export type Measurement = { requests: number } & Record<Exclude<keyof Sample, "requests">, Spread>;

/** For what a server does after its answers, such as writing history. */
const SETTLE_MS = 200;

/**
 * Loads a server for one round, the requests in turn and each connection beginning at another one.
 *
 * @param status that every answer must have
 * @throws {Error} if an answer is wrong or missing
 */
export async function load(
  server: Server,
  scheme: "http" | "https",
  requests: readonly LoadRequest[],
  status: number,
  { seconds, connections, maxRequestsPerConnection }: Plan,
): Promise<Sample> {
  let clients = 0;
  const latencies: number[] = [];
  const cpuBefore = cpuSeconds(server.pid);
  const startedAt = performance.now();
  const result = await cannonade(
    {
      url: `${scheme}://127.0.0.1:${server.port}`,
      connections,
      duration: seconds,
      maxConnectionRequests: maxRequestsPerConnection,
      sampleInt: 50,
      setupClient: (client) => {
        const first = Math.floor((clients++ * requests.length) / connections);
        client.setRequests([...requests.slice(first), ...requests.slice(0, first)]);
      },
    },
    (milliseconds) => latencies.push(milliseconds),
  );
  const elapsed = (performance.now() - startedAt) / 1000;
  await wait(SETTLE_MS);
  const cpu = cpuSeconds(server.pid) - cpuBefore;
  const seen = Object.keys(result.statusCodeStats ?? {}).map(Number);
  if (result.errors > 0 || seen.length !== 1 || seen[0] !== status) {
    const got = seen.length > 0 ? seen.join(", ") : "no answer";
    throw new Error(`expected ${status} of ${requests[0]?.path}, got ${got} and ${result.errors} errors`);
  }
  return {
    requests: latencies.length,
    requestsPerSecond: latencies.length / elapsed,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuMicroseconds: (cpu / latencies.length) * 1e6,
  };
}

/** Sums rounds up. */
export function summarize(samples: readonly Sample[]): Measurement {
  const of = (name: keyof Sample) => spread(samples.map((sample) => sample[name]));
  return {
    requests: samples.reduce((sum, sample) => sum + sample.requests, 0),
    requestsPerSecond: of("requestsPerSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    cpuMicroseconds: of("cpuMicroseconds"),
  };
}

/** autocannon's own quantiles are in whole milliseconds, so each latency is handed on as it comes. */
function cannonade(options: autocannon.Options, onAnswer: (milliseconds: number) => void) {
  return new Promise<autocannon.Result>((resolve, reject) => {
    const done = (error: unknown, result: autocannon.Result) => (error ? reject(error) : resolve(result));
    autocannon(options, done).on("response", (_client, _status, _bytes, milliseconds) =>
      onAnswer(milliseconds),
    );
  });
}
