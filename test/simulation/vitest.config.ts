import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { PROJECT } from "../../scripts/lib/project.ts";
import { prepareWorker } from "../support/prepare-worker.ts";
import { simulatedServers } from "./servers.ts";
import { TableReporter } from "./table-reporter.ts";

/** Simulates deliveries in virtual time: the real outbox, in workerd, against real SMTP servers in Node. */
export default defineConfig(async (): Promise<ViteUserConfig> => {
  await prepareWorker();
  const servers = await simulatedServers();
  // Imported last: Miniflare reads the trusted authorities when it loads.
  const { cloudflareTest } = await import("@cloudflare/vitest-pool-workers");
  return {
    root: PROJECT,
    plugins: [
      cloudflareTest({
        wrangler: { configPath: join(PROJECT, "wrangler.toml") },
        verbose: false,
        miniflare: { bindings: { HOSTNAME: "example.com" }, outboundService: servers },
      }),
    ],
    test: {
      include: ["test/simulation/*.suite.ts"],
      setupFiles: ["test/support/empty-store.ts"],
      reporters: ["default", new TableReporter()],
      testTimeout: 300_000,
      maxWorkers: 2,
    },
  };
});
