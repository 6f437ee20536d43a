/** Characters of tenant ids, now or later: those of Keycloak's realm names that need no encoding. */
const TENANT_CHARACTER = /^[\w.-]$/;

/** A part of a template: a character, or the tenant. */
type Part = string | typeof TENANT;

const TENANT = null;

/**
 * Whether two templates of `iss` can produce the same address, such as `https://{tenant}.example.com` and
 * `https://login.{tenant}.example.com`. Then the realm of one tenant could sign for another. Templates that differ are
 * presumed to do so for different tenants.
 *
 * @param template with `{tenant}` as the only placeholder
 */
export function canProduceSame(template: string, otherTemplate: string): boolean {
  const [parts, others] = [partsOf(template), partsOf(otherTemplate)];
  // Reads both as patterns of the same text: where they are after each of its characters.
  const reached = new Set<string>();
  const next: [number, number][] = [[0, 0]];
  for (let position = next.pop(); position !== undefined; position = next.pop()) {
    const [at, otherAt] = position;
    const [part, other] = [parts[at], others[otherAt]];
    if (part === undefined && other === undefined) return true;
    if (part === undefined || other === undefined || !canBeSame(part, other)) continue;
    for (const step of stepsOf(part)) {
      for (const otherStep of stepsOf(other)) {
        const following: [number, number] = [at + step, otherAt + otherStep];
        if (!reached.has(following.join())) next.push(following);
        reached.add(following.join());
      }
    }
  }
  return false;
}

function partsOf(template: string): Part[] {
  return template.split("{tenant}").flatMap((text, index) => (index === 0 ? [...text] : [TENANT, ...text]));
}

/** Whether a character can belong to both. */
function canBeSame(part: Part, other: Part): boolean {
  if (part !== TENANT && other !== TENANT) return part === other;
  const character = part ?? other;
  return character === TENANT || TENANT_CHARACTER.test(character);
}

/** How far a character of the text leads: the tenant may go on, or end. */
function stepsOf(part: Part): number[] {
  return part === TENANT ? [0, 1] : [1];
}
