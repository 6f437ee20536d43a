import { describe, expect, it } from "vitest";
import { stepsToMatch, wordsOf } from "./support/matching-steps.ts";

const sources = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });

/** A literal behind what may stand before one; a class may contain a slash. */
const LITERAL =
  /(?<=(?:^|[(,=:?&|![{]|=>|return)\s*)\/(?![*/])((?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)(?=\s*[).,;:?\]}&|\n])/gm;

/** Every expression in src/, by its source and flags. */
const expressions = new Map(
  Object.values(sources).flatMap((text) =>
    Array.from(text.matchAll(LITERAL), ([literal, source = "", flags]): [string, RegExp] => [
      literal,
      new RegExp(source, flags),
    ]),
  ),
);

/** What a hostile text begins with: nothing, or what an anchored expression asks for. */
const BEGINNINGS = ["", "550 ", "<", "<a@", '"'];

/** What it repeats, besides the words of the expression. */
const REPEATED = [" ", "a", "0", ".", "-", "a@", "@!", "%4", '\\"', "<http:\t", "a ", "x\n"];

/** Texts on which an expression with two ways to match a part has to try many. */
function hostileTexts(expression: RegExp, length: number): string[] {
  const words = wordsOf(expression).flatMap((word) => [word, `${word} `, `${word}-`, word.slice(0, -1)]);
  return BEGINNINGS.flatMap((beginning) =>
    [...new Set([...REPEATED, ...words])].map((part) => (beginning + part.repeat(length)).slice(0, length)),
  );
}

/** The texts for which twice the length takes more than twice the steps. */
function superlinearTexts(expression: RegExp): string[] {
  const [short, long] = [hostileTexts(expression, 512), hostileTexts(expression, 1_024)];
  return short.filter((text, index) => {
    const steps = stepsToMatch(expression, text);
    return stepsToMatch(expression, long[index] ?? "") > 2.5 * steps;
  });
}

describe("a regular expression of src/", () => {
  it.each([...expressions])("takes twice the steps for twice a hostile text: %s", (_, expression) => {
    expect(superlinearTexts(expression)).toEqual([]);
  });

  it("is found wherever it is", () => {
    expect(expressions.size).toBeGreaterThan(200);
  });
});

describe("the count of steps", () => {
  it.each([
    ["white space before a word", /\s*(?:Trace ID|Timestamp):/],
    ["a word of many parts", /\beyJ[\w-]+\.[\w-]+\.[\w-]+/],
    ["a beginning without end", /<https?:[^>]{1,2048}>/],
    ["adjacent repetition", /^<[^>]+@[^>]+>$/],
  ])("shows that an expression is superlinear: %s", (_, expression) => {
    expect(superlinearTexts(expression)).not.toEqual([]);
  });

  it.each<[string, RegExp, string]>([
    ["no match", /b/, "aaaa"],
    ["a match", /a+b?/, "aaab"],
    ["a class, an anchor and a lookahead", /^[^a-c]{2,3}(?=d)/, "xxxd"],
    ["a negative lookbehind", /(?<!a)b|c/, "abcb"],
  ])("grows by a few for each character: %s", (_, expression, text) => {
    expect(stepsToMatch(expression, text)).toBeGreaterThanOrEqual(text.length);
    expect(stepsToMatch(expression, text)).toBeLessThan(12 * text.length);
  });
});
