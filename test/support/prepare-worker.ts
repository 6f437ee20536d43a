import { buildDocs } from "../../scripts/build-docs.ts";
import { workerVariables } from "../../scripts/lib/project.ts";

/** Prepares this process for Workers under test, before any starts. */
export async function prepareWorker(): Promise<void> {
  for (const name of workerVariables()) delete process.env[name];
  process.env.SETTINGS_KEYS = JSON.stringify({
    keys: [{ kty: "oct", kid: "test-1", k: "VGhpcyBpcyBhIGtleSBmb3IgdGVzdHMsIDMyIGxvbmc" }],
  });
  // Without it, wrangler announces SETTINGS_KEYS for every Worker that starts.
  process.env.WRANGLER_LOG ??= "warn";
  // vitest does not run the [build] command of wrangler.toml.
  await buildDocs();
}
