import { defineConfig, type ViteUserConfig } from "vitest/config";
import { buildDocs } from "./scripts/build-docs.ts";
import { workerVariables } from "./scripts/lib/project.ts";
import { issuerNetwork } from "./test/support/issuer-network.ts";
import { SMTP_CONTROL_ORIGIN } from "./test/support/smtp/control.ts";
import { findExim } from "./test/support/smtp/exim.ts";
import { smtpTestServers } from "./test/support/smtp/smtp-test-servers.ts";

declare module "vitest" {
  interface ProvidedContext {
    eximIsInstalled: boolean;
  }
}

export default defineConfig(async (): Promise<ViteUserConfig> => {
  for (const name of workerVariables()) delete process.env[name];
  process.env.SETTINGS_KEYS = JSON.stringify({
    keys: [{ kty: "oct", kid: "test-1", k: "VGhpcyBpcyBhIGtleSBmb3IgdGVzdHMsIDMyIGxvbmc" }],
  });
  // vitest does not run the [build] command of wrangler.toml.
  await buildDocs();
  const exim = findExim();
  const smtpServers = await smtpTestServers(exim);
  const issuers = issuerNetwork();
  // Only now: Miniflare reads the authorities to trust when it is loaded.
  const { cloudflareTest } = await import("@cloudflare/vitest-pool-workers");
  return {
    plugins: [
      cloudflareTest({
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          bindings: { HOSTNAME: "example.com", AUDIENCE: "tenant-mail" },
          outboundService: (request: Request) =>
            new URL(request.url).origin === SMTP_CONTROL_ORIGIN ? smtpServers(request) : issuers(request),
        },
      }),
    ],
    test: {
      silent: "passed-only",
      include: ["test/**/*.test.ts"],
      provide: { eximIsInstalled: exim !== undefined },
      // Property tests make hundreds of requests, and the machine may be busy with other things.
      testTimeout: 60_000,
      // Servers that are waited for are waited for together.
      maxConcurrency: 20,
      // workerd's own, beside the error that the socket has: a promise that no code can reach is rejected
      // when STARTTLS comes to no TLS.
      onUnhandledError: ({ message }) => !/^internal error; reference = \w+$/.test(message),
      coverage: {
        provider: "istanbul",
        include: ["src/**/*.ts"],
        reporter: ["text"],
        thresholds: { lines: 95, branches: 95 },
      },
    },
  };
});
