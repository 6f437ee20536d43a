import { constants } from "node:os";

/** Takes what has to be undone before the process ends. The last one in is the first one done. */
export type Defer = (cleanup: () => void | Promise<void>) => void;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a script to its end and exits with the status that it returns: 1 if it throws, 128 and the signal's
 * number if it is interrupted. Whatever the way out, what was deferred is done first.
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

  // Not `once`: a second Ctrl-C must not cut the cleaning up short.
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      exiting ??= exit(128 + constants.signals[signal]);
    });
  }

  let status = 1;
  try {
    status = await script((cleanup) => cleanups.push(cleanup));
  } catch (error) {
    // What fails because the cleanup has begun is no news.
    if (exiting === undefined) console.error(error instanceof Error ? error.message : error);
  }
  exiting ??= exit(status);
  return exiting;
}
