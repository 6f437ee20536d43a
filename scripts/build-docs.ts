import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openApiDocument } from "../openapi/document.ts";
import { docsPage } from "../openapi/page/page.ts";
import { STYLESHEET } from "../openapi/page/stylesheet.ts";
import manifest from "../package.json" with { type: "json" };
import { PROJECT } from "./lib/project.ts";

const FOLDER = join(PROJECT, "public/digitanium/v4/mail");

/** Where {@link buildDocs} writes the OpenAPI document. */
export const OPENAPI_FILE = join(FOLDER, "openapi.json");

/** Builds the static assets that `src/docs/routes.ts` serves. */
export async function buildDocs(): Promise<void> {
  const document = openApiDocument(manifest.version);
  await mkdir(FOLDER, { recursive: true });
  await Promise.all([
    update(OPENAPI_FILE, JSON.stringify(document)),
    update(join(FOLDER, "docs.html"), String(await docsPage(document))),
    update(join(FOLDER, "docs.css"), STYLESHEET),
  ]);
}

// Leaves an unchanged file alone, because another process may be reading it.
async function update(file: string, text: string): Promise<void> {
  if ((await readFile(file, "utf8").catch(() => undefined)) !== text) await writeFile(file, text);
}

if (import.meta.main) await buildDocs();
