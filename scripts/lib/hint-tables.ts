import { defined } from "../../src/defined.ts";
import { explain } from "../../src/smtp/explain.ts";
import type { Row } from "../../src/smtp/replies/row.ts";
import { HINT_GROUPS } from "../../src/smtp/replies/rows.ts";
import { parseReply } from "../../src/smtp/reply.ts";
import { escaped, tableOf } from "./markdown.ts";

/** Longest reply in a table, in characters. */
const REPLY_MAX_CHARACTERS = 100;

/** A table for each group of hints. */
export function hintTables(): string {
  return HINT_GROUPS.map(({ title, rows }) => {
    const cells = rows.map((row) => cellsOf(row).map(escaped));
    return `### ${title}\n\n${tableOf(["Hint", "Cause", "Example", "Source"], cells)}`;
  }).join("\n\n");
}

function cellsOf(row: Row): string[] {
  return [row.hint, row.cause, exampleOf(row), row.source];
}

/** A symptom in the words of the response: its stage, and the server's reply or else the message. */
export function exampleOf({ example }: Row): string {
  const { stage, kind = "reply", reply, silentMs = 0, settings = {} } = example;
  const { message } = explain(
    {
      kind,
      stage,
      silentMs,
      steps: [],
      contentSent: false,
      smtputf8: false,
      ...defined({ reply }),
    },
    { settings: { host: "smtp.example.com", port: 587, starttls: false, ssl: false, ...settings } },
  ).diagnosis;
  const relevant = Object.entries(settings).filter(([name, value]) => name !== "host" && value !== undefined);
  const where = relevant.map(([name, value]) => `\`${name}\` ${value}`).join(", ");
  return `\`${stage}\`: ${reply === undefined ? message : `"${shortened(reply)}"`}${where && ` (${where})`}`;
}

function shortened(reply: string): string {
  const { code, enhancedCode, text } = parseReply(reply, REPLY_MAX_CHARACTERS);
  return [code, enhancedCode, text].filter((part) => part !== undefined).join(" ");
}
