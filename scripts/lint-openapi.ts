import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildDocs, OPENAPI_FILE } from "./build-docs.ts";
import { PROJECT } from "./lib/project.ts";

const REDOCLY = join(PROJECT, "node_modules/@redocly/cli/bin/cli.js");

await buildDocs();
const { status } = spawnSync(process.execPath, [REDOCLY, "lint", OPENAPI_FILE], {
  cwd: PROJECT,
  env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
