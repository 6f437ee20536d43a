import { constants } from "node:os";

/** Registers a cleanup that runs before the process exits. The last one registered runs first. */
export type Defer = (cleanup: () => void | Promise<void>) => void;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a script and exits with the status that it returns, 1 if it throws, or 128 plus the signal's number if
 * it is interrupted. Deferred cleanups run in every case.
 */
export async function run(script: (defer: Defer) => Promise<number>): Promise<never> {
  const cleanups: (() => void | Promise<void>)[] = [];
  let exiting: Promise<never> | undefined;

  async function exit(status: number): Promise<never> {
    for (const cleanup of cleanups.reverse()) {
      try {
        await cleanup();
      } catch (error) {
        console.error(error);
        status ||= 1;
      }
    }
    process.exit(status);
  }

  // Not `once`: a second Ctrl-C must not interrupt the cleanup.
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      exiting ??= exit(128 + constants.signals[signal]);
    });
  }

  let status = 1;
  try {
    status = await script((cleanup) => cleanups.push(cleanup));
  } catch (error) {
    // Once the cleanup has started, the script fails because of it.
    if (exiting === undefined) console.error(error instanceof Error ? error.message : error);
  }
  exiting ??= exit(status);
  return exiting;
}
