import { spawnSync } from "node:child_process";

// workerd turns such gates on in production before it does so here; STARTTLS has broken by one before.
const SMTP_TESTS = ["test/smtp/", "test/attacks/smtp", "test/contract/test-settings"];

const all = vitest(["--coverage"]);
const smtp = vitest(SMTP_TESTS, { WORKERD_ALL_AUTOGATES: "1" });
process.exitCode = all && smtp ? 0 : 1;

/** Runs vitest, and says whether it was content. */
function vitest(options: string[], environment: Record<string, string> = {}): boolean {
  const gates = Object.entries(environment).map(([name, value]) => `${name}=${value} `);
  console.log(`> ${gates.join("")}vitest run ${options.join(" ")}`);
  const env = { ...process.env, ...environment };
  return spawnSync("vitest", ["run", ...options], { stdio: "inherit", env }).status === 0;
}
