import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { openApiDocument } from "../src/openapi/document.ts";
import { PROJECT } from "./lib/project.ts";
import { run } from "./lib/run.ts";

const REDOCLY = join(PROJECT, "node_modules/@redocly/cli/bin/cli.js");

await run(async (defer) => {
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-openapi-"));
  defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "openapi.json");
  const document = openApiDocument({ hostname: "mail.example.com", version: manifest.version });
  await writeFile(file, JSON.stringify(document, null, 2));
  const lint = spawn(process.execPath, [REDOCLY, "lint", file, "--config", join(PROJECT, "redocly.yaml")], {
    cwd: PROJECT,
    env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    stdio: "inherit",
  });
  const [status] = (await once(lint, "exit")) as [number | null];
  return status ?? 1;
});
