import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The root of the repository. */
export const PROJECT = join(import.meta.dirname, "../..");

/** Keys and data of local development. Git ignores this folder; delete it to start over. */
export const LOCAL_FOLDER = join(PROJECT, ".local");

/**
 * Names of the Worker's variables and secrets. With `[secrets]` in `wrangler.toml`, environment variables
 * override them, and many shells export `HOSTNAME`: clear these names before starting wrangler.
 */
export function workerVariables(): string[] {
  const toml = readFileSync(join(PROJECT, "wrangler.toml"), "utf8");
  return ["SETTINGS_KEYS", ...Array.from(toml.matchAll(/^([A-Z][A-Z_]*) *=/gm), ([, name]) => name ?? "")];
}
