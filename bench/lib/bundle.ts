import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Defer } from "../../scripts/lib/run.ts";
import { wrangler } from "../../scripts/lib/wrangler.ts";

/** A Worker as wrangler would deploy it. */
export interface Bundle {
  /** Path of the only module. */
  script: string;
  bytes: number;
  gzippedBytes: number;
  /** Bytes that each package brings, minified, largest first. */
  packages: { name: string; bytes: number }[];
}

/** Bundles a Worker for production: `wrangler.toml` says how, and only the entry differs. */
export async function bundle(entry: string, folder: string, defer: Defer): Promise<Bundle> {
  const metafile = join(folder, "meta.json");
  const out = join(folder, "out");
  await wrangler(["deploy", entry, "--dry-run", "--outdir", out, "--metafile", metafile], folder, defer);
  const { outputs } = JSON.parse(await readFile(metafile, "utf8")) as Metafile;
  const [path, output] = Object.entries(outputs).find(([name]) => name.endsWith(".js")) ?? [];
  if (path === undefined || output === undefined) throw new Error(`wrangler has bundled nothing of ${entry}`);
  const script = join(out, path.slice(path.lastIndexOf("/") + 1));
  const content = await readFile(script);
  return {
    script,
    bytes: content.length,
    gzippedBytes: gzipSync(content, { level: 9 }).length,
    packages: byPackage(output.inputs),
  };
}

/** The part of esbuild's metafile that is read here: https://esbuild.github.io/api/#metafile */
interface Metafile {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
}

function byPackage(inputs: Metafile["outputs"][string]["inputs"]): Bundle["packages"] {
  const sizes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = packageOf(path);
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  const packages = [...sizes].map(([name, bytes]) => ({ name, bytes }));
  return packages.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
}

function packageOf(path: string): string {
  const inModules = path.split("node_modules/").at(-1);
  if (inModules === undefined || inModules === path) return "tenant-mail";
  return /^(@[^/]+\/)?[^/]+/.exec(inModules)?.[0] ?? inModules;
}
