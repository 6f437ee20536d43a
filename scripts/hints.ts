import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decisionTables } from "./lib/decision-table.ts";
import { withHintTables } from "./lib/hint-tables.ts";
import { PROJECT } from "./lib/project.ts";

const PAGE = join(PROJECT, "docs/troubleshooting.md");

await writeFile(PAGE, withHintTables(await readFile(PAGE, "utf8")));
await writeFile(join(PROJECT, "test/smtp/replies/decisions.md"), decisionTables());
