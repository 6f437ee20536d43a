import type { Answer } from "./call.ts";

/** Prints a line below a step's title. */
type Print = (line: string) => void;

/** Prints an answer, and hands it on. */
type Show = (answer: Answer) => Answer;

/** Steps that are printed with what they prove, and counted. */
export class Steps {
  #passed = 0;
  #failed = 0;

  /**
   * Runs a step. It fails by throwing; the steps after it run nonetheless.
   *
   * @param body returns what the step has proved
   */
  async step(title: string, body: (show: Show, print: Print) => Promise<string>): Promise<void> {
    const print: Print = (line) => console.log(`   ${line}`);
    const show: Show = (answer) => {
      print(`${answer.request} -> ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    };
    console.log(`\n${this.#passed + this.#failed + 1}. ${title}`);
    try {
      print(`PASS: ${await body(show, print)}`);
      this.#passed++;
    } catch (error) {
      print(`FAIL: ${error instanceof Error ? error.message : error}`);
      this.#failed++;
    }
  }

  /** Prints the counts, and tells whether every step held. */
  summary(): boolean {
    console.log(`\nDemo: ${this.#passed} steps held, ${this.#failed} failed.`);
    return this.#failed === 0;
  }
}
