import { describe, expect, it } from "vitest";
import { decisionTables } from "../../../scripts/lib/decision-table.ts";
import { classify } from "../../../src/smtp/replies/classify.ts";
import { BY_CAUSE } from "../../../src/smtp/replies/common.ts";
import { HINT_GROUPS } from "../../../src/smtp/replies/rows.ts";
import { failureOf } from "../../support/smtp/symptoms.ts";

const pages = import.meta.glob<string>("./decisions.md", { query: "?raw", import: "default", eager: true });

it("decisions.md shows what an outbox does about each failure, as npm run tables writes it", () => {
  expect(pages["./decisions.md"]).toBe(decisionTables());
});

// Its rows are for a cause that is already known.
const groups = HINT_GROUPS.filter((group) => group !== BY_CAUSE);

describe.each(groups)("The cause alone: $title", ({ rows, ...group }) => {
  const host = "exampleHost" in group ? String(group.exampleHost) : undefined;

  it.each(rows)("is that of the row: $example.stage $example.kind $example.reply", (row) => {
    const { failure, context } = failureOf(row.example, host);
    expect(classify(failure, context).cause).toBe(row.cause);
  });
});
