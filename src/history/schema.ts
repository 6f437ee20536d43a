import * as z from "zod/mini";

/** Entries per page, unless the request asks for another number. */
const HISTORY_PAGE_ENTRIES = 50;

/** Maximum entries per page. KV lists up to 1,000 keys at once. */
export const HISTORY_PAGE_MAX_ENTRIES = 1_000;

/** The error of a cursor that no page has returned. */
export const CURSOR_PROBLEM = "must be the cursor of the previous page";

const LIMIT_PROBLEM = `must be a whole number from 1 to ${HISTORY_PAGE_MAX_ENTRIES}`;

/** The query of a read of history. */
export const historyQuerySchema = z.object({
  limit: z
    .pipe(
      z.optional(z.string(LIMIT_PROBLEM).check(z.regex(/^([1-9]\d{0,2}|1000)$/, LIMIT_PROBLEM))),
      z.transform((text) => Number(text ?? HISTORY_PAGE_ENTRIES)),
    )
    .register(z.globalRegistry, {
      description: `Maximum entries per page. Default: ${HISTORY_PAGE_ENTRIES}.`,
      examples: ["20"],
    }),
  cursor: z.optional(z.string(CURSOR_PROBLEM)).register(z.globalRegistry, {
    description: "cursor of the previous page. Default: the newest entries.",
  }),
});
