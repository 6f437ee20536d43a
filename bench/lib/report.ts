import type { Bundle } from "./bundle.ts";
import { CONTENDERS, type ContenderName } from "./contenders.ts";
import type { GrowthRow } from "./growth.ts";
import type { InsideRow } from "./inside.ts";
import type { Row } from "./side-by-side.ts";
import type { StartUp } from "./start-up.ts";
import type { Spread } from "./stats.ts";

/** Everything that a run has found out. */
export interface Results {
  command: string;
  at: string;
  machine: Record<string, string | number>;
  rows: (Row & { ratios: Ratios | undefined })[];
  inside: InsideRow[];
  growth: GrowthRow[];
  startUp: StartUp;
  bundle: Omit<Bundle, "script">;
}

/** A contender beside the floor of the work, by medians. */
export interface Ratios {
  requestsPerSecond: number;
  cpu: number;
}

/** Puts the ratios to the floor beside what was measured. */
export function withRatios(rows: readonly Row[]): Results["rows"] {
  return rows.map((row) => {
    const beside = (name: ContenderName) =>
      rows.find(({ operation, contender }) => operation === row.operation && contender === name)?.measured;
    const floor = beside("floor");
    if (floor === undefined) return { ...row, ratios: undefined };
    return {
      ...row,
      ratios: {
        requestsPerSecond: row.measured.requestsPerSecond.median / floor.requestsPerSecond.median,
        cpu: row.measured.cpuMicroseconds.median / floor.cpuMicroseconds.median,
      },
    };
  });
}

/** The results as Markdown tables. */
export function reportOf({ rows, inside, growth, startUp, bundle }: Results): string {
  return [
    table(
      [
        ...["operation", "contender", "req/s (min..max)", "p50 ms", "p99 ms", "CPU µs/req (min..max)"],
        ...["RSS MB", "req/s ÷ floor", "CPU ÷ floor"],
      ],
      rows.map(({ title, contender, measured, residentBytes, ratios }) => [
        title,
        CONTENDERS[contender],
        withRange(measured.requestsPerSecond, 0),
        measured.p50Ms.median.toFixed(1),
        measured.p99Ms.median.toFixed(1),
        withRange(measured.cpuMicroseconds, 0),
        (residentBytes / 1e6).toFixed(0),
        ...[ratios?.requestsPerSecond, ratios?.cpu].map((ratio) => ratio?.toFixed(2) ?? ""),
      ]),
    ),
    table(
      ["inside the isolate", "floor, CPU µs (min..max)", "ours, CPU µs (min..max)", "CPU ÷ floor"],
      inside.map(({ title, floor, ours, ratio }) => [
        title,
        withRange(floor, 0),
        withRange(ours, 0),
        ratio.toFixed(2),
      ]),
    ),
    table(
      ["operation", "tenants stored", "req/s (min..max)", "p50 ms", "p99 ms", "CPU µs/req (min..max)"],
      growth.map(({ title, population, measured }) => [
        title,
        String(population),
        withRange(measured.requestsPerSecond, 0),
        measured.p50Ms.median.toFixed(1),
        measured.p99Ms.median.toFixed(1),
        withRange(measured.cpuMicroseconds, 0),
      ]),
    ),
    table(
      ["first answer of a fresh isolate", "ms (min..max)"],
      [
        [CONTENDERS.bare, withRange(startUp.bare, 0)],
        [CONTENDERS.ours, withRange(startUp.ours, 0)],
        ["difference of the medians", startUp.differenceMs.toFixed(0)],
      ],
    ),
    table(
      ["package", "kB minified", "share"],
      [
        ...bundle.packages.map(({ name, bytes }) => [name, kB(bytes), percent(bytes / bundle.bytes)]),
        ["all", kB(bundle.bytes), `${kB(bundle.gzippedBytes)} kB gzipped`],
      ],
    ),
  ].join("\n\n");
}

function withRange({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`;
}

function kB(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
