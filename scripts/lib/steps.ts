import type { ReceivedResponse } from "./http-client.ts";

/** Prints a line below the title of a step. */
type Print = (line: string) => void;

/** Prints a response and returns it. */
type Show = (response: ReceivedResponse) => ReceivedResponse;

/** Runs steps, prints what each one proves, and counts them. */
export class Steps {
  #passed = 0;
  #failed = 0;

  /**
   * Runs a step, which fails by throwing. Later steps still run.
   *
   * @param body returns what the step proves
   */
  async step(title: string, body: (show: Show, print: Print) => Promise<string>): Promise<void> {
    const print: Print = (line) => console.log(`   ${line}`);
    const show: Show = (response) => {
      print(`${response.request} -> ${response.status} ${JSON.stringify(response.body)}`);
      return response;
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

  /**
   * Prints the counts.
   *
   * @returns whether every step passed
   */
  summary(): boolean {
    console.log(`\nDemo: ${this.#passed} steps passed, ${this.#failed} failed.`);
    return this.#failed === 0;
  }
}
