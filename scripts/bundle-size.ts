import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run } from "./lib/run.ts";
import { wrangler } from "./lib/wrangler.ts";

/**
 * In bytes. Tenants rarely open their settings, so most requests start a fresh isolate, and a larger bundle
 * starts more slowly. The limit leaves room for small changes, but not for another dependency.
 */
const GZIPPED_MAX = 160_000;

await run(async (defer) => {
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-size-"));
  defer(() => rm(folder, { recursive: true, force: true }));
  const bundle = join(folder, "bundle");
  await wrangler(["deploy", "--dry-run", "--outdir", bundle], folder, defer);
  const script = await readFile(join(bundle, "index.js"));
  const gzipped = gzipSync(script, { level: 9 }).length;
  console.log(
    `Worker: ${kB(script.length)} minified, ${kB(gzipped)} gzipped; limit ${kB(GZIPPED_MAX)} gzipped`,
  );
  if (gzipped <= GZIPPED_MAX) return 0;
  console.error("The Worker exceeds the limit.");
  return 1;
});

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
