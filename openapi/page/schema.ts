import { html } from "hono/html";
import type { JsonSchema } from "../lib/types.ts";
import { type Html, joined, table } from "./html.ts";

/** A section on a schema, with a row for each field. */
export function schemaSection(name: string, schema: JsonSchema): Html {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([field, member]) =>
    row(field, member as JsonSchema, required.has(field)),
  );
  return html`<section aria-labelledby="schema-${name}">
<h3 id="schema-${name}">${name}</h3>
${table(`Fields of ${name}`, ["Field", "Type", "Description"], rows)}
</section>`;
}

function row(field: string, member: JsonSchema, required: boolean): Html {
  return html`<tr>
<th scope="row"><code>${field}</code>${required ? html` <span class="required">required</span>` : ""}</th>
<td>${typeOf(member)}</td>
<td>${member.description ?? ""}${limitsOf(member)}${exampleOf(member)}</td>
</tr>`;
}

/** The type of a value, in words. */
export function typeOf(schema: JsonSchema): Html {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined) {
    const words = schema.enum.filter((value) => value !== null && value !== "");
    return html`${joined(
      words.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      " or ",
    )}`;
  }
  if (schema.anyOf !== undefined) {
    const present = schema.anyOf.filter(({ type }) => type !== "null");
    return html`${joined(present.map(typeOf), " or ")}`;
  }
  if (schema.type === "array") return html`list of ${typeOf((schema.items ?? {}) as JsonSchema)}`;
  // null counts as absent, so it is not listed as a type.
  const types = [schema.type ?? "anything"].flat().filter((type) => type !== "null");
  return html`${types.join(" or ")}`;
}

function limitsOf({ maxLength }: JsonSchema): Html | string {
  return maxLength === undefined ? "" : html` <small>At most ${maxLength} characters.</small>`;
}

function exampleOf({ examples }: JsonSchema): Html | string {
  const [example] = (examples as unknown[] | undefined) ?? [];
  return example === undefined ? "" : html` <small>Example: <code>${JSON.stringify(example)}</code></small>`;
}
