import { html } from "hono/html";
import {
  type Content,
  METHODS,
  type OpenApiDocument,
  type Operation,
  type Response,
  type Server,
} from "../lib/types.ts";
import { type Html, table } from "./html.ts";
import { typeOf } from "./schema.ts";

/** An operation with its address. */
interface PlacedOperation {
  method: (typeof METHODS)[number];
  path: string;
  /** URL of the server, with variables. */
  server: string;
  operation: Operation;
}

/** Lists the operations of a document, in its order. */
export function operationsOf({ paths, servers }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, server: serverOf(path, servers), operation }];
    }),
  );
}

/** The server of a path: the tenant stands in the host, unless it stands in the path. */
function serverOf(path: string, servers: readonly Server[]): string {
  const isInPath = path.includes("{tenantId}");
  return servers.find(({ variables }) => "tenant" in variables !== isInPath)?.url ?? "";
}

/** The anchor of an operation's section. */
export function anchorOf({ summary }: Operation): string {
  return summary.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

/** A section on operations that differ in their address only. */
export function operationSection(placed: readonly PlacedOperation[]): Html | string {
  const [{ operation } = {}] = placed;
  if (operation === undefined) return "";
  const id = anchorOf(operation);
  return html`<section aria-labelledby="${id}">
<h3 id="${id}">${operation.summary}</h3>
<ul class="addresses">${placed.map(address)}</ul>
<p>${operation.description}</p>
${operation.security === undefined ? "" : html`<p class="note">No token is needed.</p>`}
${parametersOf(operation)}
${requestOf(operation)}
<h4>Responses</h4>
${Object.entries(operation.responses).map(responseDetails)}
</section>`;
}

function address({ method, path, server, operation }: PlacedOperation): Html {
  return html`<li><span class="method ${method}">${method.toUpperCase()}</span>
<code>${server}<b>${path}</b></code> <small>${operation.tags.join(", ")}</small></li>`;
}

function parametersOf({ parameters = [], summary }: Operation): Html | string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    ({ name, in: place, description, schema }) => html`<tr>
<th scope="row"><code>${name}</code></th><td>${place}</td><td>${typeOf(schema)}</td><td>${description}</td>
</tr>`,
  );
  return html`<h4>Parameters</h4>
${table(`Parameters: ${summary}`, ["Name", "In", "Type", "Description"], rows)}`;
}

function requestOf({ requestBody }: Operation): Html | string {
  if (requestBody === undefined) return "";
  return html`<h4>Request body</h4>
<p>${requestBody.description}${requestBody.required ? "" : " Optional."}</p>
${contentOf(requestBody.content)}`;
}

function responseDetails([status, { description, headers, content }]: [string, Response]): Html {
  const rows = Object.entries(headers).map(
    ([name, { description, example }]) =>
      html`<tr><th scope="row"><code>${name}</code></th><td><code>${example}</code></td><td>${description}</td></tr>`,
  );
  return html`<details>
<summary><span class="status s${status.slice(0, 1)}">${status}</span> ${description}</summary>
${contentOf(content)}
${table(`Headers of ${status}`, ["Header", "Example", "Description"], rows)}
</details>`;
}

function contentOf(content: Content): Html[] {
  return Object.entries(content).map(([mediaType, { schema, examples = {}, example }]) => {
    return html`<p><code>${mediaType}</code>: ${typeOf(schema)}</p>
${example === undefined ? "" : html`<pre tabindex="0"><code>${String(example)}</code></pre>`}
${Object.values(examples).map(
  ({ summary, value }) => html`<figure><figcaption>${summary}</figcaption>
<pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre></figure>`,
)}`;
  });
}
