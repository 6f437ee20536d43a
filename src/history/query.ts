import * as z from "zod/mini";
import { HISTORY_PAGE_ENTRIES, HISTORY_PAGE_MAX_ENTRIES } from "../limits.ts";

const LIMIT_PROBLEM = `must be a whole number from 1 to ${HISTORY_PAGE_MAX_ENTRIES}`;

/** What is wrong with a cursor that no page has given. */
export const CURSOR_PROBLEM = "must be the cursor of the page before";

/** The query of a read of history. */
export const historyQuerySchema = z.object({
  limit: z.pipe(
    z.optional(z.string(LIMIT_PROBLEM).check(z.regex(/^([1-9]\d{0,2}|1000)$/, LIMIT_PROBLEM))),
    z.transform((text) => Number(text ?? HISTORY_PAGE_ENTRIES)),
  ),
  cursor: z.optional(z.string(CURSOR_PROBLEM)),
});
