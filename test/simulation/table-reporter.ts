import type { Reporter, TestModule } from "vitest/node";
import type { RunFigures } from "./measure.ts";
import type { SimulatedScenario } from "./run-scenarios.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const HEADER = `| scenario | pace | codes | model | min | lost | model | longest wait | model | copies | model | rate | model | failed |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|`;

const LEGEND = `codes: sent/expired. min: codes that no rule could save. lost: ordinary messages not sent, though the fault was not
theirs. longest wait: of a code that was sent. rate: MAIL commands/logins of the worst hour. failed: messages in that
state. model: the abstract model; it counts a second for a session, and its rate is that of the busy run.`;

/** Prints the figures of all scenarios beside those of the model, in Markdown. */
export class TableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const simulated = modules
      .flatMap(({ children }) => [...children.allTests()])
      .flatMap((test) => test.meta().simulated ?? []);
    if (simulated.length > 0) console.log(`\n${tableOf(simulated)}\n\n${LEGEND}\n`);
  }
}

function tableOf(simulated: readonly SimulatedScenario[]): string {
  const rows = SCENARIOS.flatMap(({ id, title, runs = 1, model }) =>
    simulated
      .filter((one) => one.id === id)
      .map(({ pace, figures }) => [
        `${id}: ${title}${runs > 1 ? ` (mean of ${runs} runs)` : ""}`,
        pace,
        `${shown(figures.codesSent)}/${shown(figures.codesExpired)}`,
        model[pace],
        shown(figures.unsavable),
        shown(figures.lost),
        model.lost,
        `${shown(figures.longestWait)} s`,
        model.wait,
        shown(figures.copies),
        model.copies,
        `${shown(figures.attempts)}/${shown(figures.logins)}`,
        model.rate,
        shown(figures.failed),
      ]),
  );
  return [HEADER, ...rows.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}

function shown(figure: RunFigures[keyof RunFigures]): string {
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(1);
}
