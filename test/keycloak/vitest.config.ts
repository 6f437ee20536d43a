import { defineConfig } from "vitest/config";

/** Tests in Node, against servers that `scripts/test-keycloak.ts` starts. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.suite.ts"],
    globalSetup: "./support/setup.ts",
    reporters: ["verbose"],
    // All files share one Keycloak, and one of them stops it.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
