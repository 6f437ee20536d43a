import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withHintTables } from "./lib/hint-tables.ts";
import { PROJECT } from "./lib/project.ts";

const PAGE = join(PROJECT, "docs/troubleshooting.md");

await writeFile(PAGE, withHintTables(await readFile(PAGE, "utf8")));
