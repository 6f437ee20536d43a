/** A table in Markdown. */
export function tableOf(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(headings), `|${"---|".repeat(headings.length)}`, ...rows.map(line)].join("\n");
}

/** Escapes what Markdown would read as markup. */
export function escaped(cell: string): string {
  return cell.replace(/[|<>*]/g, "\\$&");
}
