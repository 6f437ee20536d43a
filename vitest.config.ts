import { defineConfig, type ViteUserConfig } from "vitest/config";
import { issuerNetwork } from "./test/support/issuer-network.ts";
import { findDovecot } from "./test/support/oauth/dovecot.ts";
import { oauthTestServers } from "./test/support/oauth/oauth-test-servers.ts";
import { prepareWorker } from "./test/support/prepare-worker.ts";
import { SMTP_CONTROL_ORIGIN } from "./test/support/smtp/control.ts";
import { findPostfix } from "./test/support/smtp/postfix.ts";
import { smtpTestServers } from "./test/support/smtp/smtp-test-servers.ts";

declare module "vitest" {
  interface ProvidedContext {
    postfixIsInstalled: boolean;
    dovecotIsInstalled: boolean;
  }
}

// nodemailer handles the lines of a flood one by one, even after the session has ended. In a shared Worker, that
// delays the timers of every later test.
const ISOLATED_TESTS = ["test/attacks/smtp-limits.test.ts"];

export default defineConfig(async (): Promise<ViteUserConfig> => {
  await prepareWorker();
  const postfixIsInstalled = findPostfix();
  const smtpServers = await smtpTestServers();
  const dovecot = findDovecot();
  const oauthServers = await oauthTestServers(dovecot);
  const issuers = issuerNetwork();
  // Imported last: Miniflare reads the trusted authorities when it loads.
  const { cloudflareTest } = await import("@cloudflare/vitest-pool-workers");

  /** Tests with a Worker of their own, which runs in workerd. */
  const project = (test: NonNullable<ViteUserConfig["test"]>) => ({
    plugins: [
      cloudflareTest({
        wrangler: { configPath: "./wrangler.toml" },
        // Without notices of workerd, such as skipped startup snapshots.
        verbose: false,
        miniflare: {
          bindings: { HOSTNAME: "example.com", AUDIENCE: "tenant-mail" },
          outboundService: (request: Request) => {
            if (new URL(request.url).origin === SMTP_CONTROL_ORIGIN) return smtpServers(request);
            return oauthServers.handles(request) ? oauthServers.respond(request) : issuers(request);
          },
        },
      }),
    ],
    test: {
      ...test,
      setupFiles: ["test/support/empty-store.ts"],
      provide: { postfixIsInstalled, dovecotIsInstalled: dovecot !== undefined },
      // Property tests send hundreds of requests, and the machine may be busy.
      testTimeout: 60_000,
      // Tests that wait for servers wait together.
      maxConcurrency: 20,
    },
  });

  return {
    test: {
      projects: [
        project({
          name: "shared",
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [...ISOLATED_TESTS, "test/delivery/**"],
        }),
        project({ name: "delivery", isolate: false, include: ["test/delivery/**/*.test.ts"] }),
        project({ name: "isolated", include: ISOLATED_TESTS }),
      ],
      maxWorkers: 2,
      silent: "passed-only",
      // Tests that run concurrently look slow.
      slowTestThreshold: 10_000,
      // workerd rejects a promise that no code can reach when a TLS handshake after STARTTLS fails. The socket
      // reports the same failure.
      onUnhandledError: ({ message }) => !/^internal error; reference = \w+$/.test(message),
      coverage: {
        provider: "istanbul",
        include: ["src/**/*.ts"],
        reporter: [["text", { skipFull: true }]],
        thresholds: { lines: 95, branches: 95 },
      },
    },
  };
});
