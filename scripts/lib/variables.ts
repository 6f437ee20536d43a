import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./project.ts";

/**
 * Names of the Worker's variables and secrets. With `[secrets]` in `wrangler.toml`, wrangler lets the
 * environment override them, and many shells export a HOSTNAME: whoever starts wrangler clears them first.
 */
export function workerVariables(): string[] {
  const toml = readFileSync(join(PROJECT, "wrangler.toml"), "utf8");
  return ["SETTINGS_KEYS", ...Array.from(toml.matchAll(/^([A-Z][A-Z_]*) *=/gm), ([, name]) => name ?? "")];
}
