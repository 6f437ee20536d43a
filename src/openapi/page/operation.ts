import { html } from "hono/html";
import type { MediaType, OpenApiDocument, Operation, Response } from "../types.ts";
import { type Html, table } from "./html.ts";
import { anchorOf, type PlacedOperation, resolve } from "./lookup.ts";
import { typeOf } from "./schema.ts";

/** An operation, with its address in each family. */
export function operationSection(
  group: readonly [PlacedOperation, ...PlacedOperation[]],
  document: OpenApiDocument,
): Html {
  const [{ operation }] = group;
  const id = anchorOf(operation.summary);
  return html`<section aria-labelledby="${id}">
<h3 id="${id}">${operation.summary}</h3>
<ul class="addresses">${group.map((placed) => address(placed, document))}</ul>
<p>${operation.description}</p>
${operation.security === undefined ? "" : html`<p class="note">No token is needed.</p>`}
${parametersOf(operation)}
${bodyOf(operation)}
<h4>Answers</h4>
${Object.entries(operation.responses).map(([status, part]) =>
  response(status, resolve(part, document.components.responses), document),
)}
</section>`;
}

function address({ method, path, item, operation }: PlacedOperation, { servers }: OpenApiDocument): Html {
  const [server] = item.servers ?? servers;
  return html`<li><span class="method ${method}">${method.toUpperCase()}</span>
<code>${server?.url ?? ""}<b>${path}</b></code> <small>${operation.tags.join(", ")}</small></li>`;
}

function parametersOf({ parameters = [], summary }: Operation): Html | string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    ({ name, in: place, description, schema }) => html`<tr>
<th scope="row"><code>${name}</code></th><td>${place}</td><td>${typeOf(schema)}</td><td>${description}</td>
</tr>`,
  );
  return html`<h4>Parameters</h4>
${table(`Parameters of: ${summary}`, ["Name", "In", "Type", "Meaning"], rows)}`;
}

function bodyOf({ requestBody }: Operation): Html | string {
  if (requestBody === undefined) return "";
  return html`<h4>Body</h4>
<p>${requestBody.description}${requestBody.required ? "" : " It may be left out."}</p>
${contentOf(requestBody.content)}`;
}

function response(
  status: string,
  { description, headers = {}, content }: Response,
  document: OpenApiDocument,
): Html {
  const rows = Object.entries(headers).map(([name, part]) => {
    const { description, example } = resolve(part, document.components.headers);
    return html`<tr><th scope="row"><code>${name}</code></th><td><code>${example}</code></td><td>${description}</td></tr>`;
  });
  return html`<details>
<summary><span class="status s${status.slice(0, 1)}">${status}</span> ${description}</summary>
${contentOf(content)}
${table(`Headers of ${status}`, ["Header", "Example", "Meaning"], rows)}
</details>`;
}

function contentOf(content: Record<string, MediaType>): Html[] {
  return Object.entries(content).map(([mediaType, { schema, examples = {}, example }]) => {
    return html`<p><code>${mediaType}</code>: ${typeOf(schema)}</p>
${example === undefined ? "" : html`<pre tabindex="0"><code>${String(example)}</code></pre>`}
${Object.values(examples).map(
  ({ summary, value }) => html`<figure><figcaption>${summary}</figcaption>
<pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre></figure>`,
)}`;
  });
}
