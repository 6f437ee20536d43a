import { describe, expect, it } from "vitest";
import { hintFor, ROWS } from "../../src/smtp/hints.ts";
import { pageAt, tableRows } from "./project-files.ts";

const documented = tableRows(pageAt("docs/troubleshooting.md")).flatMap(([hint, , source]) =>
  source === undefined ? [] : [{ hint, source }],
);

const lastResort = hintFor({
  kind: "reply",
  stage: "message",
  settings: { host: "smtp.example.com", port: 587, starttls: true, ssl: false },
  reply: { code: 554, enhancedCode: undefined, text: "" },
});

describe("docs/troubleshooting.md", () => {
  it("lists every hint word for word with its source, and no other", () => {
    const hints = [...ROWS.map(({ hint, source }) => ({ hint, source })), { hint: lastResort, source: "" }];
    expect(sorted(documented)).toEqual(sorted(hints));
  });
});

function sorted(rows: readonly { hint?: string | undefined; source: string }[]): string[] {
  return rows.map(({ hint, source }) => `${hint} | ${source}`).sort();
}
