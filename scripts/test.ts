import { spawnSync } from "node:child_process";

// Production turns such gates on before workerd does. One of them has broken STARTTLS before.
const ALL_GATES = { WORKERD_ALL_AUTOGATES: "1" };
const TLS_TESTS = ["test/smtp/session-tls", "test/attacks/smtp-downgrade"];

const passed = [vitest(["--coverage"]), vitest(TLS_TESTS, ALL_GATES)];
process.exitCode = passed.every(Boolean) ? 0 : 1;

/**
 * Runs vitest. Prints what it writes to stderr only if it fails: workerd reports every expected TLS failure there.
 *
 * @returns whether all tests passed
 */
function vitest(options: string[], environment: Record<string, string> = {}): boolean {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value} `);
  console.log(`> ${variables.join("")}vitest run ${options.join(" ")}`);
  const { status, stderr, error } = spawnSync("vitest", ["run", ...options], {
    stdio: ["inherit", "inherit", "pipe"],
    maxBuffer: Number.POSITIVE_INFINITY,
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.stderr.write(stderr);
  return status === 0;
}
