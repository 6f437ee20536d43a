// Counts what a backtracking engine, such as that of V8, does to find all matches of an expression. Times would depend
// on the machine, and steps do not.

/** An instruction of the compiled expression. `split` tries `first`, and `second` once that has failed. */
type Instruction =
  | { kind: "one"; accepts: (character: string) => boolean }
  | { kind: "split"; first: number; second: number }
  | { kind: "jump"; to: number }
  | { kind: "at"; holds: (text: string, index: number) => boolean }
  | { kind: "ahead"; program: Instruction[]; isNegative: boolean };

/** An unfinished part of an expression: emits its instructions. */
type Part = (program: Instruction[]) => void;

/** How many steps it takes to find all matches of an expression in a text. */
export function stepsToMatch({ source, flags }: RegExp, text: string): number {
  const program = compile(source, flags);
  let steps = 0;
  for (let start = 0; start <= text.length; start++) {
    const result = run(program, text, start);
    steps += result.steps;
    if (result.end !== undefined && result.end > start) start = result.end - 1;
  }
  return steps;
}

/** The words of an expression: what stands in it literally. */
export function wordsOf({ source, flags }: RegExp): string[] {
  const words: string[] = [];
  compile(source, flags, (word) => words.push(word));
  return words.filter((word) => word.length > 1);
}

function run(program: readonly Instruction[], text: string, start: number): { steps: number; end?: number } {
  const alternatives: [at: number, index: number][] = [[0, start]];
  let steps = 0;
  for (let next = alternatives.pop(); next !== undefined; next = alternatives.pop()) {
    let [at, index] = next;
    for (;;) {
      steps++;
      const instruction = program[at];
      if (instruction === undefined) return { steps, end: index };
      if (instruction.kind === "split") {
        alternatives.push([instruction.second, index]);
        at = instruction.first;
      } else if (instruction.kind === "jump") {
        at = instruction.to;
      } else if (instruction.kind === "one") {
        if (index >= text.length || !instruction.accepts(text.charAt(index))) break;
        at++;
        index++;
      } else if (instruction.kind === "at") {
        if (!instruction.holds(text, index)) break;
        at++;
      } else {
        const result = run(instruction.program, text, index);
        steps += result.steps;
        if ((result.end === undefined) !== instruction.isNegative) break;
        at++;
      }
    }
  }
  return { steps };
}

function compile(source: string, flags: string, onWord: (word: string) => void = () => {}): Instruction[] {
  // One code unit at a time is enough: the texts are within the basic plane.
  const settings = flags.replaceAll(/[gy]/g, "");
  let position = 0;
  let word = "";

  const endWord = () => {
    onWord(word);
    word = "";
  };
  const take = (form: RegExp): string | undefined => {
    const [taken] = new RegExp(form.source, "sy").exec(source.slice(position)) ?? [];
    position += taken?.length ?? 0;
    return taken;
  };
  const emit = (part: Part): Instruction[] => {
    const program: Instruction[] = [];
    part(program);
    return program;
  };

  const alternation = (): Part => {
    const branches = [sequence()];
    while (take(/\|/) !== undefined) branches.push(sequence());
    endWord();
    return branches.reduceRight((rest, branch) => (program) => {
      const split = { kind: "split" as const, first: program.length + 1, second: 0 };
      program.push(split);
      branch(program);
      const jump = { kind: "jump" as const, to: 0 };
      program.push(jump);
      split.second = program.length;
      rest(program);
      jump.to = program.length;
    });
  };

  const sequence = (): Part => {
    endWord();
    const parts: Part[] = [];
    while (position < source.length && !/[|)]/.test(source.charAt(position))) parts.push(quantified(term()));
    return (program) => {
      for (const part of parts) part(program);
    };
  };

  const quantified = (part: Part): Part => {
    const quantifier = take(/[*+?]|\{\d+(,\d*)?\}/);
    if (quantifier === undefined) return part;
    endWord();
    const isLazy = take(/\?/) !== undefined;
    const [low = "", high = low] = quantifier.slice(1, -1).split(",");
    const counts: Record<string, [number, number]> = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] };
    const [min, max] = counts[quantifier] ?? [Number(low), high === "" ? Infinity : Number(high)];
    return (program) => {
      for (let count = 0; count < min; count++) part(program);
      const skips: { first: number; second: number }[] = [];
      const loop = program.length;
      const optional = max === Infinity ? 1 : max - min;
      for (let count = 0; count < optional; count++) {
        const split = { kind: "split" as const, first: 0, second: 0 };
        program.push(split);
        split[isLazy ? "second" : "first"] = program.length;
        skips.push(split);
        part(program);
      }
      if (max === Infinity) program.push({ kind: "jump", to: loop });
      for (const split of skips) split[isLazy ? "first" : "second"] = program.length;
    };
  };

  const term = (): Part => {
    const behind = take(/\(\?<[=!](?:[^()\\]|\\.)*\)/);
    if (behind !== undefined) return place(behind);
    const group = take(/\((?:\?[:=!])?/);
    if (group !== undefined) {
      const inner = alternation();
      position++;
      if (!/[=!]$/.test(group)) return inner;
      const program = emit(inner);
      return (outer) => outer.push({ kind: "ahead", program, isNegative: group.endsWith("!") });
    }
    const assertion = take(/[\^$]|\\[bB]/);
    if (assertion !== undefined) return place(assertion);
    const atom = take(/\[(?:[^\]\\]|\\.)*\]|\\[pP]\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\.|./) ?? "";
    if (/^[^[\\.]$|^\\[^a-zA-Z\d]$/.test(atom)) word += atom.at(-1);
    else endWord();
    const one = new RegExp(`^(?:${atom})$`, settings);
    const known = new Map<string, boolean>();
    const accepts = (character: string) => {
      const isAccepted = known.get(character) ?? one.test(character);
      known.set(character, isAccepted);
      return isAccepted;
    };
    return (program) => program.push({ kind: "one", accepts });
  };

  const place = (assertion: string): Part => {
    const sticky = new RegExp(assertion, `${settings}y`);
    const holds = (text: string, index: number) => {
      sticky.lastIndex = index;
      return sticky.test(text);
    };
    return (program) => program.push({ kind: "at", holds });
  };

  return emit(alternation());
}
