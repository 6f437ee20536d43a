import type { Scenario } from "../scenario.ts";
import { LIMITS } from "./limits.ts";
import { OUTAGES } from "./outages.ts";
import { RECIPIENTS } from "./recipients.ts";

/** All scenarios, in the order of their letters. */
export const SCENARIOS: readonly Scenario[] = [...RECIPIENTS, ...OUTAGES, ...LIMITS].sort((a, b) =>
  a.id.localeCompare(b.id),
);
