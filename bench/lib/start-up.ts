import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startMiniflare, type WorkerOptions } from "./miniflare.ts";
import type { Operation } from "./operations.ts";
import { median, table, withRange } from "./report.ts";
import { measureInRounds } from "./rounds.ts";

/** The least that a Worker can do: it returns a constant. */
const BARE = 'export default { fetch: () => new Response("{}", { status: 401 }) };';

/**
 * Measures the time from the start of workerd to the first response, as a table. The request has a forged
 * token, so it runs all of our start-up code (schemas, configuration, keys) without the local store.
 */
export async function measureStartUp(
  ours: WorkerOptions,
  forgery: Operation,
  { starts }: { starts: number },
  folder: string,
): Promise<string> {
  const bare = { script: join(folder, "bare.js"), vars: {} };
  await writeFile(bare.script, BARE);
  const samplesOf = await measureInRounds([bare, ours], starts, (options) => firstResponse(options, forgery));
  const [bareTimes, ourTimes] = [samplesOf(bare), samplesOf(ours)];
  return table(
    ["first response of a fresh isolate", "ms"],
    [
      ["bare Worker", withRange(bareTimes)],
      ["ours", withRange(ourTimes)],
      ["difference of the medians", (median(ourTimes) - median(bareTimes)).toFixed(0)],
    ],
  );
}

async function firstResponse(options: WorkerOptions, { status, requests }: Operation): Promise<number> {
  const [request] = requests;
  const startedAt = performance.now();
  const miniflare = startMiniflare(options);
  try {
    const headers = { authorization: `Bearer ${request?.token}` };
    const response = await miniflare.dispatchFetch(`https://localhost${request?.path}`, { headers });
    await response.text();
    const elapsed = performance.now() - startedAt;
    if (response.status !== status) throw new Error(`expected ${status}, got ${response.status}`);
    return elapsed;
  } finally {
    await miniflare.dispose();
  }
}
