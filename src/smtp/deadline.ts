/** Rejection of {@link Deadline.guard}. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** Limits each wait, and all waits together. After expiry it stays expired. */
export class Deadline {
  readonly #expiry = Promise.withResolvers<never>();
  readonly #total: ReturnType<typeof setTimeout>;
  #current: ReturnType<typeof setTimeout> | undefined;
  #isWaiting = false;

  /** @param totalMs the limit of all waits together, from now on */
  constructor(totalMs: number) {
    this.#expiry.promise.catch(() => {});
    this.#total = setTimeout(() => this.#expire(), totalMs);
  }

  /**
   * Waits for `work`.
   *
   * @param milliseconds the limit of this wait, which {@link Deadline.restart} extends
   * @throws {TimeoutError} if a limit expires first
   */
  async guard<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
    this.#isWaiting = true;
    this.restart(milliseconds);
    try {
      return await Promise.race([work, this.#expiry.promise]);
    } finally {
      this.#endWait();
    }
  }

  /** Replaces what remains of the limit of the current wait. Without one, a timer would keep a session alive. */
  restart(milliseconds: number): void {
    if (!this.#isWaiting) return;
    if (this.#current !== undefined) clearTimeout(this.#current);
    this.#current = setTimeout(() => this.#expire(), milliseconds);
  }

  /** Clears all limits. */
  stop(): void {
    this.#endWait();
    clearTimeout(this.#total);
  }

  #endWait(): void {
    this.#isWaiting = false;
    if (this.#current !== undefined) clearTimeout(this.#current);
  }

  #expire(): void {
    this.#expiry.reject(new TimeoutError());
  }
}
