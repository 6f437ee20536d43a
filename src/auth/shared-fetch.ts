import { SafeError } from "../errors.ts";
import { TokenError } from "./errors.ts";

/** How often a waiting request looks for the outcome, in milliseconds. */
export const POLL_MS = 20;

/** How long after its time limit a fetch is presumed lost, in milliseconds. */
export const LOCK_MARGIN_MS = 1_000;

/** Keeps work running after its request ends or is canceled: the runtime's `waitUntil`. */
export type KeepAlive = (work: Promise<unknown>) => void;

interface SharedFetchOptions {
  /** Time limit of one fetch, in milliseconds. The fetch has to observe it. */
  timeoutMs: number;
  /** Minimum time between a fetch that fails and the next one, in milliseconds. */
  cooldownMs: number;
  keepAlive: KeepAlive;
  /** The error for a fetch that fails with an unexpected error, and for one that takes too long. */
  unavailable: (reason: "unreachable" | "timed out") => SafeError;
}

/**
 * Shares fetches of one thing among the requests of an isolate: at most one is in progress, and a failure is repeated
 * to every request until its cooldown ends.
 *
 * Workers forbids awaiting a promise of another request, so requests poll a lock while one of them fetches. The lock
 * expires in case the fetch never settles.
 */
export class SharedFetch<Value extends object> {
  readonly #options: SharedFetchOptions;
  /** When the fetch in progress started. */
  #lockedAt: number | undefined;
  #latest: { value: Value; at: number; startedAt: number } | undefined;
  /** Why the last fetch failed. */
  #failure: { error: SafeError; at: number } | undefined;

  constructor(options: SharedFetchOptions) {
    this.#options = options;
  }

  /** Whether a fetch is in progress. */
  get isFetching(): boolean {
    return this.#fetchingSince !== undefined;
  }

  /** When the last fetch that succeeded has started, and when it ended. */
  get latestFetch(): { startedAt: number; at: number } | undefined {
    return this.#latest;
  }

  /** The value of the last fetch that succeeded, if it is younger than `maxAgeMs`. */
  latest(maxAgeMs: number): Value | undefined {
    return this.#latest !== undefined && Date.now() < this.#latest.at + maxAgeMs
      ? this.#latest.value
      : undefined;
  }

  /**
   * Gets a value that is younger than `maxAgeMs`, by a fetch if necessary.
   *
   * @param maxWaitMs how long to wait, from the start of the fetch. Default: two locks that expire in turn
   * @throws {SafeError} of the fetch; `unavailable` if it takes too long. A {@link TokenError} also drops the last
   * value
   */
  async get(fetch: () => Promise<Value>, maxAgeMs: number, maxWaitMs = 2 * this.#lockMs): Promise<Value> {
    const latest = this.latest(maxAgeMs);
    if (latest !== undefined) return latest;
    const requestedAt = Date.now();
    const deadline = (this.#fetchingSince ?? requestedAt) + maxWaitMs;
    while (!this.#hasOutcomeSince(requestedAt) && Date.now() < deadline) {
      if (!this.isFetching) {
        const fetching = this.#run(fetch);
        this.#options.keepAlive(fetching);
        await (maxWaitMs < this.#lockMs ? Promise.race([fetching, scheduler.wait(maxWaitMs)]) : fetching);
        break;
      }
      await scheduler.wait(POLL_MS);
    }
    if (this.#latest !== undefined && this.#latest.at >= requestedAt) return this.#latest.value;
    throw this.#failure?.error ?? this.#options.unavailable("timed out");
  }

  get #lockMs(): number {
    return this.#options.timeoutMs + LOCK_MARGIN_MS;
  }

  get #fetchingSince(): number | undefined {
    const isLocked = this.#lockedAt !== undefined && Date.now() < this.#lockedAt + this.#lockMs;
    return isLocked ? this.#lockedAt : undefined;
  }

  #hasOutcomeSince(time: number): boolean {
    const { cooldownMs } = this.#options;
    if (this.#failure !== undefined && Date.now() < this.#failure.at + cooldownMs) return true;
    return this.#latest !== undefined && this.#latest.at >= time;
  }

  async #run(fetch: () => Promise<Value>): Promise<void> {
    const startedAt = Date.now();
    this.#lockedAt = startedAt;
    this.#failure = undefined;
    try {
      this.#latest = { value: await fetch(), at: Date.now(), startedAt };
    } catch (error) {
      if (error instanceof TokenError) this.#latest = undefined;
      const failure = error instanceof SafeError ? error : this.#options.unavailable("unreachable");
      this.#failure = { error: failure, at: Date.now() };
    } finally {
      this.#lockedAt = undefined;
    }
  }
}
