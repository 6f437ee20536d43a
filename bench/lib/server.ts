import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Defer } from "../../scripts/lib/run.ts";
import { signalGroup, timeout } from "../../scripts/lib/wrangler.ts";
import { childOf } from "./cpu.ts";
import type { WorkerOptions } from "./miniflare.ts";

/** A Worker in a process of its own. */
export interface Server {
  port: number;
  /** Of workerd. Its parent, which runs Miniflare and reads the log, is not measured. */
  pid: number;
}

/** The floor and ours. */
export type Servers = Readonly<Record<"floor" | "ours", Server>>;

const START_TIMEOUT_MS = 120_000;

/** After this, the process is killed. */
const STOP_TIMEOUT_MS = 5_000;

/**
 * Starts a Worker, and stops it when the script ends.
 *
 * @param folder for the files of KV
 * @throws {Error} if the process ends or times out before it is ready
 */
export async function startServer(options: WorkerOptions, folder: string, defer: Defer): Promise<Server> {
  const child = fork(join(import.meta.dirname, "server-process.ts"), [JSON.stringify(options)], {
    // A separate process group, so that signals also reach workerd.
    detached: true,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  defer(async () => {
    if (child.connected) child.disconnect();
    await Promise.race([ended, timeout(STOP_TIMEOUT_MS, undefined)]);
    signalGroup(child, "SIGKILL");
  });
  const ready = once(child, "message").then(([port]) => Number(port));
  const port = await Promise.race([ready, ended, timeout(START_TIMEOUT_MS, undefined)]);
  const { pid } = child;
  if (typeof port !== "number" || pid === undefined) throw new Error(`${options.script} does not start`);
  return { port, pid: childOf(pid) };
}
