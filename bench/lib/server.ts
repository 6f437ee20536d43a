import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Defer } from "../../scripts/lib/run.ts";
import type { NodeServerOptions } from "../servers/node.ts";
import type { WorkerdOptions } from "../servers/workerd.ts";
import { childrenOf } from "./proc.ts";

/** A server in a process of its own. */
export interface Server {
  port: number;
  /** The process that does the work: workerd, or Node where Node is the server. */
  pid: number;
}

const START_TIMEOUT_MS = 120_000;

const STOP_TIMEOUT_MS = 5_000;

/** Starts a Worker; Miniflare's own Node process, which only starts workerd, is not what is measured. */
export async function startWorkerd(options: WorkerdOptions, folder: string, defer: Defer): Promise<Server> {
  const { port, pid } = await start("workerd.ts", options, folder, defer);
  const [workerd, ...others] = childrenOf(pid);
  if (workerd === undefined || others.length > 0) throw new Error("Miniflare has not started one workerd");
  return { port, pid: workerd };
}

/** Starts the Node server. */
export function startNode(options: NodeServerOptions, folder: string, defer: Defer): Promise<Server> {
  return start("node.ts", options, folder, defer);
}

async function start(file: string, options: object, folder: string, defer: Defer): Promise<Server> {
  const child = fork(join(import.meta.dirname, "../servers", file), [JSON.stringify(options)], {
    // A process group of its own, so that what it starts can be ended with it.
    detached: true,
    // Miniflare keeps KV in a temporary folder.
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} cannot be started`);
  const ended = once(child, "exit");
  defer(async () => {
    if (child.connected) child.disconnect();
    await Promise.race([ended, wait(STOP_TIMEOUT_MS)]);
    killGroup(pid);
  });
  const ready = once(child, "message") as Promise<[{ port: number }]>;
  const failed = ended.then(([status]) => Promise.reject(new Error(`${file} ended with status ${status}`)));
  const late = wait(START_TIMEOUT_MS).then(() => Promise.reject(new Error(`${file} did not become ready`)));
  late.catch(() => {});
  failed.catch(() => {});
  const [{ port }] = await Promise.race([ready, failed, late]);
  return { port, pid };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Nobody is left in the group.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
