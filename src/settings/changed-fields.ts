import type { Settings } from "./schema.ts";

/** Names of the fields in which settings differ, secrets included: their names tell nothing. */
export function changedFields(before: Settings | undefined, after: Settings): string[] {
  const old: Partial<Settings> = before ?? {};
  const names = new Set([...Object.keys(old), ...Object.keys(after)]) as Set<keyof Settings>;
  return [...names].filter((name) => old[name] !== after[name]).sort();
}
