import type { Defer } from "../../scripts/lib/run.ts";
import type { WorkerdOptions } from "../servers/workerd.ts";
import { send } from "./answers.ts";
import type { Operation, OperationName } from "./operations.ts";
import type { Plan } from "./plan.ts";
import { cpuSeconds } from "./proc.ts";
import { type Server, startWorkerd } from "./server.ts";
import { type Spread, spread } from "./stats.ts";

/** CPU time of one operation inside the isolate, in microseconds. */
export interface InsideRow {
  operation: OperationName;
  title: string;
  floor: Spread;
  ours: Spread;
  /** Of the medians: ours by the floor. */
  ratio: number;
}

/**
 * Measures what the floor and ours do themselves, each operation many times within one request.
 *
 * @param options for `workers/inside.ts` over https
 */
export async function measureInside(
  options: WorkerdOptions,
  operations: readonly Operation[],
  { rounds, repetitions }: Plan,
  folder: string,
  defer: Defer,
): Promise<InsideRow[]> {
  const servers = {
    floor: await startWorkerd(options, folder, defer),
    ours: await startWorkerd(options, folder, defer),
  };
  const secure = operations.filter(({ scheme }) => scheme === "https");
  const rows = secure.map((operation) => ({ operation, floor: [] as number[], ours: [] as number[] }));
  // The first round only warms up, and stores what reads read.
  for (let round = 0; round <= rounds; round++) {
    for (const row of rows) {
      for (const contender of ["floor", "ours"] as const) {
        const microseconds = await repeat(servers[contender], row.operation, contender, repetitions);
        if (round > 0) row[contender].push(microseconds);
      }
    }
  }
  return rows.map(({ operation: { name, title }, ...times }) => {
    const [floor, ours] = [spread(times.floor), spread(times.ours)];
    return { operation: name, title, floor, ours, ratio: ours.median / floor.median };
  });
}

async function repeat(
  server: Server,
  { status, requests: [request] }: Operation,
  contender: "floor" | "ours",
  times: number,
): Promise<number> {
  if (request === undefined) throw new Error("there is no request");
  const headers = { ...request.headers, "x-contender": contender, "x-times": String(times) };
  const before = cpuSeconds(server.pid);
  const answer = await send(server, "https", { ...request, headers });
  if (answer.status !== status) throw new Error(`inside, ${contender} answered ${answer.status}`);
  return ((cpuSeconds(server.pid) - before) / times) * 1e6;
}
