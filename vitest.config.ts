import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { issuerNetwork } from "./test/support/issuer-network.ts";

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          HOSTNAME: "example.com",
          SETTINGS_KEYS: JSON.stringify({
            keys: [{ kty: "oct", kid: "test-1", k: "VGhpcyBpcyBhIGtleSBmb3IgdGVzdHMsIDMyIGxvbmc" }],
          }),
        },
        outboundService: issuerNetwork(),
      },
    }),
  ],
  test: {
    include: ["test/**/*.test.ts"],
    coverage: {
      provider: "istanbul",
      include: ["src/**/*.ts"],
      reporter: ["text"],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
