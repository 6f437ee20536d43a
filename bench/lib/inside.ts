import type { Agent } from "node:https";
import { cpuSeconds } from "./cpu.ts";
import { type Operation, sendAll } from "./operations.ts";
import { comparison, table } from "./report.ts";
import { measurePairs } from "./rounds.ts";
import type { Servers } from "./server.ts";

/**
 * Measures the CPU time of each operation inside the isolate, as a table.
 *
 * @param servers run `workers/inside.ts`, which repeats a request `repetitions` times
 * @param operations of one request each
 */
export async function measureInside(
  servers: Servers,
  operations: readonly Operation[],
  { rounds, repetitions }: { rounds: number; repetitions: number },
  agent: Agent,
): Promise<string> {
  const pairs = await measurePairs(servers, operations, rounds, async ({ server, operation }) => {
    const before = cpuSeconds(server.pid);
    await sendAll(server, operation, agent);
    return ((cpuSeconds(server.pid) - before) / repetitions) * 1e6;
  });
  return table(
    ["inside the isolate", "floor, CPU µs", "ours, CPU µs", "ours ÷ floor"],
    pairs.map(({ title, floor, ours }) => [title, ...comparison(floor, ours)]),
  );
}
