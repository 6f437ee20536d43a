import { html } from "hono/html";
import type { OpenApiDocument } from "../lib/types.ts";
import { type Html, table } from "./html.ts";
import { anchorOf, operationSection, operationsOf } from "./operation.ts";
import { schemaSection } from "./schema.ts";

/** Renders the document as a page. It has no script: HTML itself unfolds the responses. */
export function docsPage(document: OpenApiDocument): Html {
  const { info, components } = document;
  const operations = [
    ...Map.groupBy(operationsOf(document), ({ operation }) => anchorOf(operation)).entries(),
  ];
  const schemas = Object.entries(components.schemas);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} ${info.version}: API</title>
<link rel="stylesheet" href="docs.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>${info.title} <small>${info.version}</small></h1>
<p>${info.summary}. <a href="openapi.json">OpenAPI ${document.openapi}</a></p>
</header>
<nav aria-label="Contents">
<h2>Operations</h2>
<ul>${operations.map(
    ([anchor, placed]) => html`<li><a href="#${anchor}">${placed[0]?.operation.summary}</a></li>`,
  )}</ul>
<h2>Schemas</h2>
<ul>${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}</ul>
</nav>
<main id="content">
<section aria-labelledby="overview">
<h2 id="overview">Overview</h2>
${info.description.split("\n\n").map((paragraph) => html`<p>${paragraph}</p>`)}
${table("Addresses", ["Address", "Family"], serverRows(document))}
${Object.values(components.securitySchemes).map(({ description }) => html`<p>${description}</p>`)}
</section>
<section aria-labelledby="operations">
<h2 id="operations">Operations</h2>
${operations.map(([, placed]) => operationSection(placed))}
</section>
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
${schemas.map(([name, schema]) => schemaSection(name, schema))}
</section>
</main>
</body>
</html>
`;
}

function serverRows({ servers }: OpenApiDocument): Html[] {
  return servers.map(({ url, description, variables }) => {
    const values = Object.entries(variables).map(
      ([name, { default: value }]) =>
        html` <small><code>{${name}}</code>, such as <code>${value}</code></small>`,
    );
    return html`<tr><th scope="row"><code>${url}</code></th><td>${description}.${values}</td></tr>`;
  });
}
