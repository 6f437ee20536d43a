/** What a {@link Watchdog} ends a wait with. */
export class TimeoutError extends Error {}

/** Ends waits that take too long: each of its own time, and all together. */
export class Watchdog {
  readonly #expiry = Promise.withResolvers<never>();
  readonly #total: ReturnType<typeof setTimeout>;
  #current: ReturnType<typeof setTimeout> | undefined;

  /** @param totalMs how long all waits may take together */
  constructor(totalMs: number) {
    this.#expiry.promise.catch(() => {});
    this.#total = setTimeout(() => this.#expire(), totalMs);
  }

  /** Gives what is waited for `milliseconds` from now, in place of what was left. */
  allow(milliseconds: number): void {
    clearTimeout(this.#current);
    this.#current = setTimeout(() => this.#expire(), milliseconds);
  }

  /**
   * Waits for `work`.
   *
   * @throws {TimeoutError} if the time runs out first
   */
  guard<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.#expiry.promise]);
  }

  stop(): void {
    clearTimeout(this.#current);
    clearTimeout(this.#total);
  }

  #expire(): void {
    this.#expiry.reject(new TimeoutError());
  }
}
