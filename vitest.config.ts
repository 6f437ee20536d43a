import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { workerVariables } from "./scripts/lib/variables.ts";
import { issuerNetwork } from "./test/support/issuer-network.ts";

for (const name of workerVariables()) delete process.env[name];
process.env.SETTINGS_KEYS = JSON.stringify({
  keys: [{ kty: "oct", kid: "test-1", k: "VGhpcyBpcyBhIGtleSBmb3IgdGVzdHMsIDMyIGxvbmc" }],
});

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { HOSTNAME: "example.com" }, outboundService: issuerNetwork() },
    }),
  ],
  test: {
    include: ["test/**/*.test.ts"],
    silent: "passed-only",
    // Property tests make hundreds of requests, and the machine may be busy with other things.
    testTimeout: 60_000,
    coverage: {
      provider: "istanbul",
      include: ["src/**/*.ts"],
      reporter: ["text"],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
