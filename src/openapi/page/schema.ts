import { html } from "hono/html";
import type { JsonSchema } from "../types.ts";
import { type Html, joined, table } from "./html.ts";
import { nameIn } from "./lookup.ts";

/** The address of a schema within the page. */
export function schemaLink(name: string): Html {
  return html`<a href="#schema-${name}">${name}</a>`;
}

/** A schema of the document, member by member. */
export function schemaSection(name: string, schema: JsonSchema): Html {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([field, member]) =>
    row(field, member as JsonSchema, required.has(field)),
  );
  return html`<section aria-labelledby="schema-${name}">
<h3 id="schema-${name}">${name}</h3>
${table(`Fields of ${name}`, ["Field", "Type", "Meaning"], rows)}
</section>`;
}

function row(field: string, member: JsonSchema, required: boolean): Html {
  return html`<tr>
<th scope="row"><code>${field}</code>${required ? html` <span class="required">required</span>` : ""}</th>
<td>${typeOf(member)}</td>
<td>${member.description ?? ""}${limitsOf(member)}${exampleOf(member)}</td>
</tr>`;
}

/** The type of a value, for a person to read. */
export function typeOf(schema: JsonSchema): Html {
  if (schema.$ref !== undefined) return schemaLink(nameIn({ $ref: schema.$ref }));
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
  // null counts as absent everywhere, and says nothing about a value.
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
