import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { cpus, loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import workerd from "workerd/package.json" with { type: "json" };
import { localIssuerIn } from "../scripts/lib/local-issuer.ts";
import { run } from "../scripts/lib/run.ts";
import { newSettingsKeys } from "../scripts/lib/settings-keys.ts";
import { wrangler } from "../scripts/lib/wrangler.ts";
import { deliveryServers, measureDelivery } from "./lib/delivery.ts";
import { measureGrowth } from "./lib/growth.ts";
import { measureInside } from "./lib/inside.ts";
import { CONNECTIONS } from "./lib/load.ts";
import type { WorkerOptions } from "./lib/miniflare.ts";
import { firstTenants, forging, reading, saving } from "./lib/operations.ts";
import { startServer } from "./lib/server.ts";
import { assertSameResponses, measureSideBySide } from "./lib/side-by-side.ts";
import { measureStartUp } from "./lib/start-up.ts";

const FULL = {
  rounds: 5,
  /** Of one round. */
  seconds: 2,
  /** Over which the requests are spread. */
  tenants: 200,
  /** Of an operation inside the isolate, in one round. */
  repetitions: 2_000,
  /** Of each fresh isolate. */
  starts: 20,
  /** Stored tenants, multiples of ten. */
  populations: [10, 1_000, 10_000],
  /** Of each run of deliveries. Those with a round trip, or a connection each, take long. */
  messages: { near: 600, far: 100, oneEach: 60 },
  deliveryRounds: 3,
};

/** Shows that the benchmark works. Its figures mean nothing. */
const QUICK = {
  rounds: 1,
  seconds: 0.4,
  tenants: 10,
  repetitions: 200,
  starts: 2,
  populations: [10, 20],
  messages: { near: 20, far: 10, oneEach: 4 },
  deliveryRounds: 1,
};

const [option, ...rest] = process.argv.slice(2);
if (process.platform !== "linux") throw new Error("the benchmark reads CPU time from /proc: it needs Linux");
if ((option !== undefined && option !== "--quick" && option !== "--delivery") || rest.length > 0) {
  throw new Error("usage: npm run bench [-- --quick | --delivery]");
}
const plan = option === "--quick" ? QUICK : FULL;

await run(async (defer) => {
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-bench-"));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  /** Bundles a Worker as `wrangler deploy` would. */
  async function bundle(entry: string): Promise<string> {
    progress(`bundling ${entry}`);
    const out = join(folder, basename(entry, ".ts"));
    await wrangler(["deploy", entry, "--dry-run", "--outdir", out], folder, defer);
    return join(out, basename(entry).replace(".ts", ".js"));
  }
  const issuer = await localIssuerIn(folder);
  const vars = { ...issuer.vars, SETTINGS_KEYS: newSettingsKeys() };
  const ours = { script: await bundle("src/index.ts"), vars, hasOutbox: true };
  const start = (options: WorkerOptions) => startServer(options, folder, defer);

  progress("delivering mail");
  const mailServers = await deliveryServers(defer);
  const sender = { ...ours, vars: { ...vars, ALLOW_PRIVATE_HOSTS: "true" } };
  const delivery = await measureDelivery(await start(sender), mailServers, issuer, plan);
  if (option === "--delivery") {
    console.log([heading(), delivery].join("\n\n"));
    return 0;
  }

  const floor = { script: await bundle("bench/workers/floor.ts"), vars };
  const inside = await bundle("bench/workers/inside.ts");

  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const [tenants, forgery] = [await firstTenants(plan.tenants, issuer), await forging(issuer)];
  const operations = [saving(tenants), reading(tenants), forgery];
  const servers = { floor: await start(floor), ours: await start(ours) };
  await assertSameResponses(servers, operations, agent);
  progress("comparing ours with the floor");
  const sideBySide = await measureSideBySide(servers, operations, plan);

  progress("repeating operations inside the isolate");
  const startInside = (WORKER: "floor" | "ours") =>
    start({ script: inside, vars: { ...vars, WORKER, TIMES: String(plan.repetitions) } });
  const insideServers = { floor: await startInside("floor"), ours: await startInside("ours") };
  const one = tenants.slice(0, 1);
  const repeated = [saving(one), reading(one), forgery];
  const insideTheIsolate = await measureInside(insideServers, repeated, plan, agent);

  progress("starting fresh isolates");
  const startUp = await measureStartUp(ours, forgery, plan, folder);

  progress(`storing up to ${Math.max(...plan.populations)} tenants`);
  const growth = await measureGrowth(() => start(ours), issuer, plan, agent);

  console.log([heading(), delivery, sideBySide, insideTheIsolate, startUp, growth].join("\n\n"));
  return 0;
});

function heading(): string {
  const command = ["npm run bench", ...(option === undefined ? [] : ["--", option])].join(" ");
  return [command, new Date().toISOString(), machine()].join(", ");
}

function machine(): string {
  const processors = cpus();
  return `${processors.length} x ${processors[0]?.model.trim()}, node ${process.version}, workerd ${workerd.version}, load average ${loadavg()[0]?.toFixed(1)}`;
}

function progress(message: string): void {
  console.error(`bench: ${message} ...`);
}
