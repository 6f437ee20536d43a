import type { Agent } from "node:https";
import type { LocalIssuer } from "../../scripts/lib/local-issuer.ts";
import { load, type Sample } from "./load.ts";
import { firstTenants, reading, readingHistory, saving, sendAll, type Tenant } from "./operations.ts";
import { table, withRange } from "./report.ts";
import { measureInRounds } from "./rounds.ts";
import type { Server } from "./server.ts";

/** Measured tenants of each store, evenly spread. */
const MEASURED = 10;

/** Fills one page of history. */
const SAVES_OF_MEASURED = 50;

// Saves last, as they add to the history.
const OPERATIONS = [readingHistory, reading, saving];

/**
 * Measures ours with stores of several sizes, as a table.
 *
 * @param startOurs starts ours with an empty store
 */
export async function measureGrowth(
  startOurs: () => Promise<Server>,
  issuer: LocalIssuer,
  { rounds, seconds, populations }: { rounds: number; seconds: number; populations: readonly number[] },
  agent: Agent,
): Promise<string> {
  const tenants = await firstTenants(Math.max(...populations), issuer);
  const stores = await Promise.all(
    populations.map(async (population) => {
      const server = await startOurs();
      return { population, server, measured: await fill(server, tenants.slice(0, population), agent) };
    }),
  );
  const rows: string[][] = [];
  for (const operationOf of OPERATIONS) {
    const subjects = stores.map(({ measured, ...store }) => ({ ...store, operation: operationOf(measured) }));
    const samplesOf = await measureInRounds(subjects, rounds, (subject) => load(subject, seconds));
    for (const subject of subjects) {
      const range = (name: keyof Sample) => withRange(samplesOf(subject).map((sample) => sample[name]));
      const { operation, population } = subject;
      rows.push([operation.title, String(population), range("requestsPerSecond"), range("cpuMicroseconds")]);
    }
  }
  return table(["operation", "stored tenants", "req/s", "CPU µs"], rows);
}

/**
 * Saves the settings of all tenants.
 *
 * @returns the tenants to measure, which have a full page of history
 */
async function fill(server: Server, tenants: readonly Tenant[], agent: Agent): Promise<Tenant[]> {
  const measured = tenants.filter((_, index) => index % (tenants.length / MEASURED) === 0);
  await sendAll(server, saving(tenants), agent);
  for (let saves = 1; saves < SAVES_OF_MEASURED; saves++) await sendAll(server, saving(measured), agent);
  return measured;
}
