import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { PROJECT, workerVariables } from "./project.ts";
import type { Defer } from "./run.ts";

const WRANGLER = join(PROJECT, "node_modules/wrangler/bin/wrangler.js");

const START_TIMEOUT_MS = 90_000;

/** After this, wrangler is killed. */
const STOP_TIMEOUT_MS = 5_000;

/** How to run the Worker locally. */
interface WranglerDevOptions {
  protocol: "http" | "https";
  /** 0 for any free port. */
  port: number;
  /** Folder for KV and logs. */
  folder: string;
  /** Variables that replace those of `wrangler.toml`. */
  vars: Readonly<Record<string, string>>;
  /** A file in `.env` format. */
  secretsFile: string;
  /** Receives what wrangler and the Worker print, as it arrives. */
  onOutput?: (text: string) => void;
}

/** A Worker that runs locally. */
interface WranglerDev {
  port: number;
  /** Everything that wrangler and the Worker have printed so far. */
  output: () => string;
  /** The exit status, once wrangler ends. */
  ended: Promise<number>;
  /** Kills wrangler and workerd, like a crash. */
  kill: () => Promise<void>;
}

/**
 * Starts `wrangler dev`, and stops it when the script ends.
 *
 * @throws {Error} with wrangler's output, if it ends or times out before it is ready
 */
export async function startWranglerDev(options: WranglerDevOptions, defer: Defer): Promise<WranglerDev> {
  let printed = "";
  const dev = spawnWrangler(["dev", ...argumentsFor(options)], options.folder, defer);
  const ready = new Promise<number>((resolve) => {
    dev.onOutput((text) => {
      printed += text;
      options.onOutput?.(text);
      const port = /Ready on https?:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  const failed = dev.ended.then((status) => `ended with status ${status}`);
  const outcome = await Promise.race([
    ready,
    failed,
    timeout(START_TIMEOUT_MS, "timed out before it was ready"),
  ]);
  if (typeof outcome === "string") throw new Error(`wrangler dev ${outcome}:\n${printed}`);
  return { port: outcome, output: () => printed, ended: dev.ended, kill: dev.kill };
}

/**
 * Runs a wrangler command.
 *
 * @returns its standard output
 * @throws {Error} with its output, if it fails
 */
export async function wrangler(args: readonly string[], folder: string, defer: Defer): Promise<string> {
  const printed = { stdout: "", stderr: "" };
  const command = spawnWrangler(args, folder, defer);
  command.onOutput((text, stream) => {
    printed[stream] += text;
  });
  const status = await command.ended;
  if (status !== 0) throw new Error(`wrangler ${args.join(" ")}:\n${printed.stdout}${printed.stderr}`);
  return printed.stdout;
}

/** Where {@link startWranglerDev} keeps KV, for `--persist-to`. One process at a time may open it. */
export function stateFolder(folder: string): string {
  return join(folder, "state");
}

function argumentsFor({ protocol, port, folder, vars, secretsFile }: WranglerDevOptions): string[] {
  return [
    "--ip",
    "127.0.0.1",
    "--port",
    String(port),
    "--inspector-port",
    "0",
    "--local-protocol",
    protocol,
    "--persist-to",
    stateFolder(folder),
    // An explicit file keeps wrangler from reading .dev.vars.
    "--env-file",
    secretsFile,
    ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    // With routes in wrangler.toml, the Worker would see their host instead of the requested one.
    "--infer-origin-from-routes=false",
    "--show-interactive-dev-session=false",
  ];
}

/** The environment for wrangler: no outgoing requests, logs in `folder`, no colors. */
function environment(folder: string): NodeJS.ProcessEnv {
  const inherited = { ...process.env };
  for (const name of ["FORCE_COLOR", ...workerVariables()]) delete inherited[name];
  return {
    ...inherited,
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    NO_COLOR: "1",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(folder, "logs"),
    WRANGLER_REGISTRY_PATH: join(folder, "registry"),
    WRANGLER_SEND_METRICS: "false",
  };
}

interface WranglerProcess {
  onOutput: (listener: (text: string, stream: "stdout" | "stderr") => void) => void;
  /** The exit status, once all output is read. */
  ended: Promise<number>;
  kill: () => Promise<void>;
}

function spawnWrangler(args: readonly string[], folder: string, defer: Defer): WranglerProcess {
  const child = spawn(process.execPath, [WRANGLER, ...args], {
    cwd: PROJECT,
    env: environment(folder),
    stdio: ["ignore", "pipe", "pipe"],
    // A separate process group, so that signals also reach workerd.
    detached: true,
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject).on("close", (status) => resolve(status ?? 1));
  });
  child.on("exit", () => signalGroup(child, "SIGKILL"));
  defer(() => stop(child, ended));
  return {
    onOutput: (listener) => {
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => listener(text, stream));
      }
    },
    ended,
    kill: async () => {
      signalGroup(child, "SIGKILL");
      await ended;
    },
  };
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  signalGroup(child, "SIGTERM");
  await Promise.race([ended, timeout(STOP_TIMEOUT_MS, undefined)]);
  signalGroup(child, "SIGKILL");
}

/** Sends a signal to a child and to everything that it started. The child must be `detached`. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group has ended.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Resolves to `value`. Does not keep the process alive. */
export function timeout<Value>(milliseconds: number, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds, value).unref();
  });
}
