import { describe, expect, it } from "vitest";
import { meanOf, type RunFigures } from "./measure.ts";
import { PACES, type Pace, type Scenario } from "./scenario.ts";
import { simulate } from "./simulate.ts";

declare module "vitest" {
  interface TaskMeta {
    /** For the reporter. */
    simulated?: SimulatedScenario;
  }
}

/** The figures of a scenario. */
export interface SimulatedScenario {
  id: string;
  pace: Pace;
  figures: RunFigures;
}

/** Runs scenarios, and asserts what must hold for good. The reporter prints the figures. */
export function runScenarios(scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    const { id, title, paces = Object.keys(PACES) as Pace[] } = scenario;
    describe(`${id}: ${title}`, () => {
      it.for(paces)(`${id} loses nothing that a rule could save (%s)`, async (pace, { task }) => {
        const figures = await figuresOf(scenario, pace);
        task.meta.simulated = { id, pace, figures };
        expectBounds(figures, scenario, pace);
      });
    });
  }
}

async function figuresOf(scenario: Scenario, pace: Pace): Promise<RunFigures> {
  const runs: RunFigures[] = [];
  for (let seed = 1; seed <= (scenario.runs ?? 1); seed++) runs.push(await simulate(scenario, pace, seed));
  return meanOf(runs);
}

/** @throws {Error} if the scenario has no bound of waits or rates for the pace */
function expectBounds(figures: RunFigures, { id, bounds }: Scenario, pace: Pace): void {
  const { [pace]: waitSeconds } = bounds.waitSeconds;
  const { [pace]: rate } = bounds.rate;
  if (waitSeconds === undefined || rate === undefined) throw new Error(`${id} has no bounds for ${pace}`);
  const [leastFailed, mostFailed] = bounds.failed?.[pace] ?? [0, 0];
  const most: Partial<RunFigures> = {
    lost: bounds.lost ?? 0,
    codesExpired: figures.unsavable + (bounds.expired?.[pace] ?? 0),
    copies: bounds.copies?.[pace] ?? 1,
    longestWait: waitSeconds,
    failed: mostFailed,
    ...rate,
  };
  for (const [name, bound] of Object.entries(most)) {
    expect.soft(figures[name as keyof RunFigures], name).toBeLessThanOrEqual(bound);
  }
  expect.soft(figures.failed, "failed").toBeGreaterThanOrEqual(leastFailed);
}
