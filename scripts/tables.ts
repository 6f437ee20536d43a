import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decisionTables } from "./lib/decision-table.ts";
import { GENERATED_TABLES, withTables } from "./lib/generated-tables.ts";
import { PROJECT } from "./lib/project.ts";

for (const page of Object.keys(GENERATED_TABLES)) {
  const file = join(PROJECT, page);
  await writeFile(file, withTables(page, await readFile(file, "utf8")));
}
await writeFile(join(PROJECT, "test/smtp/replies/decisions.md"), decisionTables());
