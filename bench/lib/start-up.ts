import { startMiniflare } from "./miniflare.ts";
import type { Operation } from "./operations.ts";
import type { Plan } from "./plan.ts";
import { type Spread, spread } from "./stats.ts";

/** Milliseconds to the first answer of a fresh isolate. */
export interface StartUp {
  bare: Spread;
  ours: Spread;
  /** Of the medians: what ours takes longer. */
  differenceMs: number;
}

/**
 * Times from the start of workerd to its first answer, in turn. The answer is that to a bogus token: it takes
 * all of our start-up work, such as schemas, configuration and keys, and none of the local store's.
 */
export async function measureStartUp(
  scripts: { bare: string; ours: string },
  vars: Record<"bare" | "ours", Readonly<Record<string, string>>>,
  operations: readonly Operation[],
  { starts }: Plan,
): Promise<StartUp> {
  const {
    requests: [request],
    status,
  } = operations.find(({ name }) => name === "bogus") ?? { requests: [] };
  if (request === undefined) throw new Error("there is no request with a bogus token");
  const times = { bare: [] as number[], ours: [] as number[] };
  for (let start = 0; start < starts; start++) {
    for (const contender of ["bare", "ours"] as const) {
      const startedAt = performance.now();
      const miniflare = startMiniflare({ script: scripts[contender], vars: vars[contender] });
      try {
        const { method, headers } = request;
        const answer = await miniflare.dispatchFetch(`https://localhost${request.path}`, { method, headers });
        await answer.text();
        times[contender].push(performance.now() - startedAt);
        if (answer.status !== status) throw new Error(`${contender} began with ${answer.status}`);
      } finally {
        await miniflare.dispose();
      }
    }
  }
  const [bare, ours] = [spread(times.bare), spread(times.ours)];
  return { bare, ours, differenceMs: ours.median - bare.median };
}
