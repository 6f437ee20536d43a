import { expect, it } from "vitest";
import { withHintTables } from "../../scripts/lib/hint-tables.ts";
import { ROWS } from "../../src/smtp/replies/rows.ts";
import { pageAt } from "./project-files.ts";

it("docs/troubleshooting.md has every hint, as npm run hints writes them", () => {
  const page = pageAt("docs/troubleshooting.md");
  expect(page).toContain(`| ${ROWS[0]?.hint} |`);
  expect(page).toBe(withHintTables(page));
});
