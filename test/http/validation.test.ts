import { describe, expect, it } from "vitest";
import type * as z from "zod/mini";
import { BATCH_MAX_MESSAGES, batchSchema, mailSchema } from "../../src/delivery/schema.ts";
import { invalidFields, MAX_FIELD_ERRORS } from "../../src/http/validation.ts";

function errorsOf(schema: z.ZodMiniType, value: unknown) {
  return invalidFields(schema.safeParse(value).error?.issues ?? []).details.errors;
}

/** A message with so many unknown fields, named like the messages of a batch. */
function withUnknown(count: number) {
  const unknown = Array.from({ length: count }, (_, index) => [`[${index}]`, 1]);
  return { to: "ada@example.com", subject: "x", text: "x", ...Object.fromEntries(unknown) };
}

describe("invalidFields", () => {
  it("lists at most 20 errors of a body, whatever its fields are called", () => {
    expect(errorsOf(mailSchema, withUnknown(1_000))).toHaveLength(MAX_FIELD_ERRORS);
  });

  it("lists at most 20 errors of each message of a batch, so that none hides those of another", () => {
    const errors = errorsOf(batchSchema, [withUnknown(1_000), withUnknown(0), withUnknown(1_000), {}]);
    const counts = [0, 1, 2, 3].map(
      (index) => errors.filter(({ field }) => field.startsWith(`[${index}].`)).length,
    );
    expect(counts).toEqual([MAX_FIELD_ERRORS, 0, MAX_FIELD_ERRORS, 2]);
  });

  it("lists no errors of the messages of a batch that is too long", () => {
    const batch = Array.from({ length: BATCH_MAX_MESSAGES + 1 }, () => withUnknown(1));
    expect(errorsOf(batchSchema, batch)).toEqual([
      { field: "body", message: "must hold at most 100 messages" },
    ]);
  });
});
