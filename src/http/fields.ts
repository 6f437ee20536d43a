import * as z from "zod/mini";
import { emailAddressProblem } from "../mail/address.ts";

/** Why a value is not valid, as the rest of a sentence that starts with the field. */
export type Problem = { problem: string };

/** JSON Schema keywords of a field, beside those that zod derives from its input. */
export type FieldDocs = {
  description: string;
  examples: unknown[];
  type?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  enum?: unknown[];
};

export const inputMandatoryText = z.string("must be a string");
// Keycloak's console sends "" for an empty field.
export const inputText = z.nullish(z.string("must be a string"));

export const outputText = z.optional(z.string());

/** An object that rejects unknown fields: a mistyped one would be lost silently. */
export function closedObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? `is not a known field; these are: ${known}` : "must be an object",
  });
}

/**
 * A documented field that may be absent. `null` and `""` count as absent.
 *
 * @param rule checks and converts a present value
 * @param output the value as it is stored and read
 */
export function field<
  Input extends z.ZodMiniType,
  Value,
  Output extends z.ZodMiniType<unknown, Awaited<Value> | undefined>,
>(
  docs: FieldDocs,
  input: Input,
  rule: (input: NonNullable<z.output<Input>>) => Value | Problem,
  output: Output,
  { trim } = { trim: true },
) {
  const checked = z.transform((sent: z.output<Input>, context): Value | undefined => {
    const value = trim ? trimmed(sent) : sent;
    if (value === undefined || value === null || value === "") return undefined;
    const result = rule(value);
    if (!isProblem(result)) return result;
    context.issues.push({ code: "custom", message: result.problem, input: value });
    return z.NEVER;
  });
  const schema = z.pipe(z.pipe(input, checked), output);
  z.globalRegistry.add(schema, docs);
  return schema;
}

/** An optional email address. */
export function emailAddress(description: string, example: string) {
  return field({ description, examples: [example], maxLength: 254 }, inputText, validAddress, outputText);
}

export function validAddress(address: string): string | Problem {
  const problem = emailAddressProblem(address);
  return problem === undefined ? address : { problem };
}

/** Rejects what does not fit on one line, or is too long. */
export function singleLine(text: string, max: number): string | Problem {
  if (characters(text) > max) return { problem: `must have at most ${max} characters` };
  if (!text.isWellFormed()) return { problem: "must be valid Unicode" };
  return /[\p{Cc}\u2028\u2029]/u.test(text) ? { problem: "must not contain control characters" } : text;
}

/**
 * Characters that cannot be seen, bidirectional controls included, and the anchors of annotations. Not the joiners of
 * Persian, Sinhala and emoji families, and not the selectors of variants, without which some words and emoji cannot be
 * written. Format characters with a shape, such as the Arabic sign of a number (U+0600), are none of them.
 */
const INVISIBLE = /(?!\u200c|\u200d|\p{Variation_Selector})[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;

/** Flags of regions, such as that of Scotland. The tags in them are invisible elsewhere. */
const FLAGS = /\p{RGI_Emoji_Tag_Sequence}/gv;

/** What has a shape: U+2800 is Braille without a dot. */
const VISIBLE = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * Rejects what a mail client displays otherwise than it is, or not at all, beside what {@link singleLine} rejects. A
 * bidirectional override would show another name.
 */
export function visibleLine(text: string, max: number): string | Problem {
  const line = singleLine(text, max);
  if (isProblem(line)) return line;
  if (INVISIBLE.test(text.replaceAll(FLAGS, ""))) return { problem: "must not contain invisible characters" };
  return VISIBLE.test(text) ? text : { problem: "must have a visible character" };
}

export function characters(text: string): number {
  return [...text].length;
}

export function trimmed<Value>(value: Value): Value {
  return typeof value === "string" ? (value.trim() as Value) : value;
}

function isProblem(result: unknown): result is Problem {
  return typeof result === "object" && result !== null && "problem" in result;
}
