import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run } from "./lib/run.ts";
import { wrangler } from "./lib/wrangler.ts";

/**
 * In bytes. Tenants visit their settings rarely, so most visits start the Worker anew, which takes longer the
 * larger it is. nodemailer takes about 45 kB, jose, hono and zod together about as much, and OpenAPI with its
 * page 20 kB; what is left is for small things, so that a new dependency is noticed.
 */
const GZIPPED_MAX = 135_000;

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
  console.error("The Worker is over its limit.");
  return 1;
});

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
