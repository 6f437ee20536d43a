import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { PROJECT } from "../../scripts/lib/project.ts";

/** A certificate and its private key, as PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** A bundled Worker to run. */
export interface WorkerOptions {
  /** Path of its only module. */
  script: string;
  /** Variables and secrets that `wrangler.toml` does not give, or that replace its own. */
  vars: Readonly<Record<string, string>>;
  /** Makes it serve https; without, it serves http. */
  certificate?: Certificate;
  /** A second Worker on the same KV namespace, that nothing on the network reaches. */
  seeder?: string;
}

/** Runs a Worker in a workerd of its own, with a KV namespace of its own, on a free port of loopback. */
export function startMiniflare({ script, vars, certificate, seeder }: WorkerOptions): Miniflare {
  const config = unstable_readConfig({ config: join(PROJECT, "wrangler.toml") });
  const texts = Object.entries({ ...config.vars, ...vars }).map(([name, value]) => [
    name,
    { type: "text" as const, value: String(value) },
  ]);
  const worker = (name: string, path: string) => ({
    config: {
      name,
      compatibilityDate: config.compatibility_date ?? "",
      compatibilityFlags: config.compatibility_flags,
      manifest: {
        mainModule: "index.js",
        modules: { "index.js": { type: "esm" as const, contents: readFileSync(path, "utf8") } },
      },
      env: { SMTP_SETTINGS: { type: "kv" as const, id: "settings" }, ...Object.fromEntries(texts) },
    },
  });
  return new Miniflare({
    host: "127.0.0.1",
    port: 0,
    ...(certificate === undefined ? {} : { httpsCert: certificate.cert, httpsKey: certificate.key }),
    // Nothing that calls out, and nothing that is done for each request beside serving it.
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    handleStructuredLogs: () => {},
    workers: [worker("main", script), ...(seeder === undefined ? [] : [worker("seeder", seeder)])],
  });
}
