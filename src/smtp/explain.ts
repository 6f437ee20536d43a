import { type Diagnosis, describe } from "./diagnosis.ts";
import { type Classification, type ClassificationContext, classify } from "./replies/classify.ts";
import type { SmtpFailure } from "./result.ts";

/**
 * Explains a failure: what it means, and that in words. Import this module on demand: it loads all tables of
 * replies, and most sessions succeed.
 */
export function explain(
  failure: SmtpFailure,
  context: ClassificationContext,
): { classification: Classification; diagnosis: Diagnosis } {
  const classification = classify(failure, context);
  return { classification, diagnosis: describe(failure, classification, context.settings) };
}
