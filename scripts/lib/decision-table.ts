import { outcomeOf, pauseKindOf, scopeOf } from "../../src/delivery/retry-policy.ts";
import { type Classification, classify, type Worked } from "../../src/smtp/replies/classify.ts";
import type { Group, Row } from "../../src/smtp/replies/row.ts";
import { HINT_GROUPS } from "../../src/smtp/replies/rows.ts";
import type { SmtpFailure } from "../../src/smtp/result.ts";
import { failureOf } from "../../test/support/smtp/symptoms.ts";
import { exampleOf } from "./hint-tables.ts";
import { escaped, tableOf } from "./markdown.ts";

const NOTHING: Worked = { login: false, sender: false, message: false, others: false };

/** What is known of the settings beside the failure. */
const EXPERIENCES: readonly Worked[] = [
  NOTHING,
  { login: true, sender: true, message: true, others: false },
  { login: true, sender: true, message: true, others: true },
];

const HEADING = `# What an outbox does about each failure

\`npm run tables\` writes this page, and a test compares it. Each row of \`src/smtp/replies/\` meets its example on a new
connection, with settings that have never worked, that have worked before, and whose connection has accepted another
message since it refused this one. The cell names the cause, and what happens: the outbox pauses, or the message waits,
\`may fail\` (it waits until others show that it alone is refused) or \`fails\`.`;

/** A table of decisions for each group of rows. */
export function decisionTables(): string {
  return `${[HEADING, ...HINT_GROUPS.map(sectionOf)].join("\n\n")}\n`;
}

function sectionOf({ title, rows, ...group }: Group): string {
  const host = "exampleHost" in group ? String(group.exampleHost) : undefined;
  const headings = ["Failure", "Never worked", "Worked before", "Another accepted since"];
  return `## ${title}\n\n${tableOf(
    headings,
    rows.map((row) => cellsOf(row, host)),
  )}`;
}

function cellsOf(row: Row, host: string | undefined): string[] {
  const { failure, context } = failureOf(row.example, host);
  const decisions = EXPERIENCES.map((worked) => {
    const classification = classify(failure, { ...context, worked });
    return `${classification.cause}: ${decisionOf(failure, classification, worked)}`;
  });
  return [escaped(exampleOf(row)), ...decisions];
}

function decisionOf(failure: SmtpFailure, classification: Classification, { others }: Worked): string {
  const first = { hasOther: false, isYounger: false, isReused: false, contentLeft: false };
  const scope = scopeOf(failure, classification, first);
  if (scope === "session") return `pauses (${pauseKindOf(failure, classification)})`;
  if (outcomeOf(failure) === "deferred") return "waits";
  if (classification.isFinal || (classification.cause === "message" && others)) return "fails";
  return classification.cause === "message" ? "may fail" : "waits";
}
