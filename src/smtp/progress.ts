import type { Stage, Step } from "./result.ts";

/** Which stages a session has completed, which one it is in, and since when. */
export class Progress {
  #stage: Stage = "connect";
  #startedAt = Date.now();
  readonly #steps: Step[] = [];
  /** How many of the steps belong to the opening of the session. */
  #openingSteps = 0;
  /** Whether stage `sender` has been completed, with this message or an earlier one. */
  hasSender = false;

  get stage(): Stage {
    return this.#stage;
  }

  /** The completed steps so far. */
  get steps(): Step[] {
    return [...this.#steps];
  }

  /** Time since the stage began, in milliseconds. */
  get stageMs(): number {
    return Date.now() - this.#startedAt;
  }

  /** Completes a stage. */
  complete(step: Omit<Step, "milliseconds">, next: Stage): void {
    const now = Date.now();
    this.#steps.push({ ...step, milliseconds: now - this.#startedAt });
    this.hasSender ||= step.stage === "sender";
    this.#startedAt = now;
    this.#stage = next;
  }

  /** Goes to another stage, without completing the one before. */
  moveTo(stage: Stage): void {
    this.#stage = stage;
  }

  /** Adds the offered SASL mechanisms to the last step: they are known once the handshake is over. */
  offer(mechanisms: readonly string[]): void {
    const step = this.#steps.at(-1);
    if (step !== undefined && mechanisms.length > 0) step.mechanisms = mechanisms;
  }

  /** Ends the opening of the session. */
  opened(): void {
    this.#openingSteps = this.#steps.length;
  }

  /** Starts another message: the steps of the one before are dropped. */
  startMessage(): void {
    this.#steps.length = this.#openingSteps;
    this.#startedAt = Date.now();
    this.#stage = "sender";
  }
}
