/** The median by nearest rank. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
}

/** The median with the smallest and the largest value. */
export function withRange(values: readonly number[]): string {
  const [middle, min, max] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(0)} (${min.toFixed(0)}..${max.toFixed(0)})`;
}

/** Three cells: the floor, ours, and the ratio of the medians. */
export function comparison(floor: readonly number[], ours: readonly number[]): string[] {
  return [withRange(floor), withRange(ours), (median(ours) / median(floor)).toFixed(2)];
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
