import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { PROJECT } from "../../scripts/lib/project.ts";

/** A bundled Worker. */
export interface WorkerOptions {
  /** Path of its only module. */
  script: string;
  /** Variables and secrets, in addition to those of `wrangler.toml`. */
  vars: Readonly<Record<string, string>>;
  /** Whether it has the Durable Object of `wrangler.toml`. */
  hasOutbox?: boolean;
}

/** A rate limiter of `wrangler.toml`. */
interface RateLimit {
  name: string;
  namespace_id: string;
  simple: { limit: number; period: 10 | 60 };
}

/** Serves a Worker over https on a free port of loopback, with its own workerd and its own KV namespace. */
export function startMiniflare({ script, vars, hasOutbox = false }: WorkerOptions): Miniflare {
  const config = unstable_readConfig({ config: join(PROJECT, "wrangler.toml") });
  const env = Object.entries({ ...config.vars, ...vars }).map(([name, value]) => [name, textBinding(value)]);
  const rateLimits = config.ratelimits.map(({ name, namespace_id, simple }: RateLimit) => [
    name,
    { type: "rate-limit" as const, namespace: namespace_id, simple },
  ]);
  const outbox = { type: "durable-object" as const, worker: "main", exportName: "Outbox" };
  const worker = {
    name: "main",
    compatibilityDate: config.compatibility_date ?? "",
    compatibilityFlags: config.compatibility_flags,
    manifest: {
      mainModule: "index.js",
      modules: { "index.js": { type: "esm" as const, contents: readFileSync(script, "utf8") } },
    },
    env: {
      SMTP_SETTINGS: { type: "kv" as const, id: "settings" },
      ...Object.fromEntries(rateLimits),
      ...(hasOutbox ? { OUTBOX: outbox } : {}),
      ...Object.fromEntries(env),
    },
    exports: hasOutbox ? { Outbox: { type: "durable-object" as const, storage: "sqlite" as const } } : {},
  };
  // No outgoing requests, and no work per request besides serving it.
  const quiet = { cf: false, telemetry: { enabled: false }, logRequests: false, handleStructuredLogs() {} };
  return new Miniflare({ host: "127.0.0.1", port: 0, https: true, ...quiet, workers: [{ config: worker }] });
}

function textBinding(value: unknown): { type: "text"; value: string } {
  return { type: "text", value: String(value) };
}
