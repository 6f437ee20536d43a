import { type ContenderName, FIELD, type Servers, serverOf } from "./contenders.ts";
import { load, type Measurement, type Sample, summarize } from "./load.ts";
import type { Operation } from "./operations.ts";
import type { Plan } from "./plan.ts";
import { residentBytes } from "./proc.ts";

/** One operation with one contender. */
export interface Row {
  operation: Operation["name"];
  title: string;
  contender: ContenderName;
  measured: Measurement;
  /** After the whole run, of the process that served this. */
  residentBytes: number;
}

/** Measures every operation with every contender, the contenders in turn within each round. */
export async function measureSideBySide(
  servers: Servers,
  operations: readonly Operation[],
  plan: Plan,
  report: (progress: string) => void,
): Promise<Row[]> {
  const cells = operations.flatMap((operation) =>
    FIELD[operation.name].map((contender) => {
      const server = serverOf(servers, operation, contender);
      return { operation, contender, server, samples: [] as Sample[] };
    }),
  );
  const loadCell = ({ server, operation }: (typeof cells)[number], seconds: number) =>
    load(server, operation.scheme, operation.requests, operation.status, { ...plan, seconds });
  for (const cell of cells) await loadCell(cell, plan.warmUpSeconds);
  for (let round = 1; round <= plan.rounds; round++) {
    report(`round ${round} of ${plan.rounds}`);
    // Every other round backwards, so that what drifts in the course of a round favours nobody.
    for (const cell of round % 2 === 0 ? cells.toReversed() : cells) {
      cell.samples.push(await loadCell(cell, plan.seconds));
    }
  }
  return cells.map(({ operation, contender, server, samples }) => ({
    operation: operation.name,
    title: operation.title,
    contender,
    measured: summarize(samples),
    residentBytes: residentBytes(server.pid),
  }));
}
