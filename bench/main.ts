import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, relative } from "node:path";
import selfsigned from "selfsigned";
import { LOCAL_FOLDER } from "../scripts/lib/local-files.ts";
import { localIssuerIn } from "../scripts/lib/local-issuer.ts";
import { PROJECT } from "../scripts/lib/project.ts";
import { run } from "../scripts/lib/run.ts";
import { newSettingsKeys } from "../scripts/lib/settings-keys.ts";
import { bundle } from "./lib/bundle.ts";
import { startContenders } from "./lib/contenders.ts";
import { measureGrowth } from "./lib/growth.ts";
import { measureInside } from "./lib/inside.ts";
import { operationsFor } from "./lib/operations.ts";
import { FULL, QUICK } from "./lib/plan.ts";
import { reportOf, withRatios } from "./lib/report.ts";
import { measureSideBySide } from "./lib/side-by-side.ts";
import { measureStartUp } from "./lib/start-up.ts";

const RESULTS = join(LOCAL_FOLDER, "bench.json");

const ENTRIES = {
  ours: "src/index.ts",
  bare: "bench/workers/bare.ts",
  store: "bench/workers/store-only.ts",
  floor: "bench/workers/floor.ts",
  inside: "bench/workers/inside.ts",
  seeder: "bench/workers/seeder.ts",
};

const [option, ...rest] = process.argv.slice(2);
if (process.platform !== "linux") throw new Error("CPU time is read from /proc, which only Linux has");
if ((option !== undefined && option !== "--quick") || rest.length > 0) {
  throw new Error("usage: npm run bench [-- --quick]");
}
const plan = option === "--quick" ? QUICK : FULL;
process.chdir(PROJECT);

await run(async (defer) => {
  const at = new Date().toISOString();
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-bench-"));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  report("bundling");
  const bundleOf = (name: keyof typeof ENTRIES) => bundle(ENTRIES[name], join(folder, name), defer);
  const [ours, bare, store, floor, inside, seeder] = await Promise.all([
    bundleOf("ours"),
    bundleOf("bare"),
    bundleOf("store"),
    bundleOf("floor"),
    bundleOf("inside"),
    bundleOf("seeder"),
  ]);

  const issuer = await localIssuerIn(folder);
  const vars = { ...issuer.vars, SETTINGS_KEYS: newSettingsKeys() };
  const { cert, private: key } = await selfsigned.generate([{ name: "commonName", value: "localhost" }]);
  const certificate = { cert, key };

  report("starting the contenders and checking their answers");
  const operations = await operationsFor(issuer, plan);
  const scripts = { ours: ours.script, bare: bare.script, store: store.script, floor: floor.script };
  const { servers, answers } = await startContenders(
    { scripts, vars, certificate, folder },
    operations,
    defer,
  );
  const rows = await measureSideBySide(servers, operations, plan, report);

  report("repeating operations inside the isolate");
  const insideOptions = { script: inside.script, vars, certificate };
  const own = await measureInside(insideOptions, operations, plan, folder, defer);

  report("starting fresh isolates");
  const startUp = await measureStartUp(scripts, { ours: vars, bare: { ANSWERS: answers } }, operations, plan);

  report(`storing up to ${Math.max(...plan.populations)} tenants`);
  const growthScripts = { ours: ours.script, seeder: seeder.script };
  const growth = await measureGrowth(
    { scripts: growthScripts, vars, certificate, issuer, folder },
    plan,
    defer,
  );

  const { script: _, ...size } = ours;
  const command = `npm run bench${option === undefined ? "" : ` -- ${option}`}`;
  const results = {
    command,
    at,
    plan,
    machine: machine(),
    rows: withRatios(rows),
    inside: own,
    growth,
    startUp,
    bundle: size,
  };
  await mkdir(LOCAL_FOLDER, { recursive: true, mode: 0o700 });
  await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(`\n${command}, ${at}, ${Object.values(results.machine).join(", ")}\n\n${reportOf(results)}\n`);
  console.log(`All of it: ${relative(PROJECT, RESULTS)}`);
  return 0;
});

function machine() {
  const processors = cpus();
  const workerd = JSON.parse(readFileSync(join(PROJECT, "node_modules/workerd/package.json"), "utf8"));
  return {
    processors: `${processors.length} x ${processors[0]?.model.trim()}`,
    node: `node ${process.version}`,
    workerd: `workerd ${workerd.version}`,
  };
}

function report(progress: string): void {
  console.error(`bench: ${progress} ...`);
}
