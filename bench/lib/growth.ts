import type { LocalIssuer } from "../../scripts/lib/local-issuer.ts";
import type { Defer } from "../../scripts/lib/run.ts";
import { sendAll } from "./answers.ts";
import { load, type Measurement, type Sample, summarize } from "./load.ts";
import type { Certificate } from "./miniflare.ts";
import { type Operation, readOf, saveOf } from "./operations.ts";
import type { Plan } from "./plan.ts";
import { measuredTenants } from "./population.ts";
import { startWorkerd } from "./server.ts";

/** What an operation costs beside so many stored tenants. */
export interface GrowthRow {
  title: string;
  population: number;
  measured: Measurement;
}

/** What the growth is measured on. */
export interface GrowthSetup {
  scripts: { ours: string; seeder: string };
  vars: Readonly<Record<string, string>>;
  certificate: Certificate;
  issuer: LocalIssuer;
  folder: string;
}

/** Measures ours with stores of several sizes, in turn within each round. */
export async function measureGrowth(
  { scripts, vars, certificate, issuer, folder }: GrowthSetup,
  plan: Plan,
  defer: Defer,
): Promise<GrowthRow[]> {
  const options = { script: scripts.ours, seeder: scripts.seeder, vars, certificate };
  const servers = await Promise.all(
    plan.populations.map((population) => startWorkerd({ ...options, population }, folder, defer)),
  );
  const cells: Cell[] = [];
  for (const [index, population] of plan.populations.entries()) {
    const server = servers[index];
    if (server === undefined) continue;
    for (const operation of await operationsOf(issuer, population)) {
      cells.push({ operation, population, server, samples: [] });
    }
  }
  // Operation by operation, so that the stores are compared at the same time; saves last, as they add to the
  // history that is read before.
  for (const title of TITLES) {
    const stores = cells.filter(({ operation }) => operation.title === title);
    for (const { operation, server } of stores) await sendAll(server, operation);
    for (let round = 0; round <= plan.growthRounds; round++) {
      for (const { operation, server, samples } of round % 2 === 0 ? stores : stores.toReversed()) {
        const { requests, status } = operation;
        const sample = await load(server, "https", requests, status, {
          ...plan,
          seconds: plan.growthSeconds,
        });
        // The first round only warms up.
        if (round > 0) samples.push(sample);
      }
    }
  }
  return TITLES.flatMap((title) =>
    cells
      .filter(({ operation }) => operation.title === title)
      .map(({ population, samples }) => ({ title, population, measured: summarize(samples) })),
  );
}

interface Cell {
  operation: Operation;
  population: number;
  server: Awaited<ReturnType<typeof startWorkerd>>;
  samples: Sample[];
}

const TITLES = ["history page", "warm read", "warm save"];

async function operationsOf(issuer: LocalIssuer, population: number): Promise<Operation[]> {
  const tenants = measuredTenants(population);
  const tokens = await Promise.all(tenants.map((tenant) => issuer.token(tenant)));
  const requestsOf = (build: typeof readOf, below?: string) =>
    tenants.map((tenant, index) => build(tenant, tokens[index] ?? "", below));
  const common = { scheme: "https", status: 200 } as const;
  return [
    { ...common, name: "read", title: "history page", requests: requestsOf(readOf, "/history") },
    { ...common, name: "read", title: "warm read", requests: requestsOf(readOf) },
    { ...common, name: "save", title: "warm save", requests: requestsOf(saveOf) },
  ];
}
