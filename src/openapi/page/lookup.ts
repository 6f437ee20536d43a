import { METHODS, type OpenApiDocument, type Operation, type PathItem, type Reference } from "../types.ts";

/** An operation where it stands in the document. */
export interface PlacedOperation {
  method: (typeof METHODS)[number];
  path: string;
  item: PathItem;
  operation: Operation;
}

/** Every operation of a document, in its order. */
export function operationsOf(document: OpenApiDocument): PlacedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, item, operation }];
    }),
  );
}

/** The operations that differ only in their address, together under their summary. */
export function groupedOperations(document: OpenApiDocument): [PlacedOperation, ...PlacedOperation[]][] {
  const groups = new Map<string, [PlacedOperation, ...PlacedOperation[]]>();
  for (const placed of operationsOf(document)) {
    const group = groups.get(placed.operation.summary);
    if (group === undefined) groups.set(placed.operation.summary, [placed]);
    else group.push(placed);
  }
  return [...groups.values()];
}

/** What a reference points to among the reusable parts of a document (OpenAPI 3.1 section 4.8.23). */
export function resolve<Part extends object>(part: Part | Reference, parts: Record<string, Part>): Part {
  if (!("$ref" in part)) return part;
  const found = parts[nameIn(part)];
  if (found === undefined) throw new Error(`${part.$ref} is not in the document`);
  return found;
}

/** The last word of a reference. */
export function nameIn({ $ref }: Reference): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

/** A summary in the form of a fragment of an address. */
export function anchorOf(summary: string): string {
  return summary.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
