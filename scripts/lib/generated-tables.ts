import { errorTable, fieldTable } from "./api-tables.ts";
import { hintTables } from "./hint-tables.ts";

/** The tables of each page that derive from the code, by the name in the page's comment. */
export const GENERATED_TABLES: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "docs/api.md": { errors: errorTable, fields: () => fieldTable("Settings") },
  "docs/delivery.md": { fields: () => fieldTable("Mail"), headers: () => fieldTable("MailHeaders") },
  "docs/troubleshooting.md": { hints: hintTables },
};

/**
 * Replaces the generated tables in the text of a page.
 *
 * @throws {Error} if the page has no place for one of them
 */
export function withTables(page: string, text: string): string {
  return Object.entries(GENERATED_TABLES[page] ?? {}).reduce((before, [name, table]) => {
    const place = new RegExp(`(?<=<!-- npm run tables: ${name} -->\n).*?(?=\n<!-- end -->)`, "s");
    if (!place.test(before)) throw new Error(`${page} has no place for the table ${name}`);
    return before.replace(place, () => `\n${table()}\n`);
  }, text);
}
