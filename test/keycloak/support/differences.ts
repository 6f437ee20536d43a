/** The members in which two JSON objects differ, by path, with both values. */
export function differencesOf(before: object, after: object, path = ""): string[] {
  const [old, current] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const names = [...new Set([...old.keys(), ...current.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), current.get(name)];
    if (isObject(was) && isObject(is)) return differencesOf(was, is, `${path}${name}.`);
    const [text, newText] = [JSON.stringify(was), JSON.stringify(is)];
    return text === newText ? [] : [`${path}${name}: ${text} -> ${newText}`];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
