/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";
import { settingsFields } from "../../src/settings/fields.ts";
import { settingsSchema } from "../../src/settings/schema.ts";
import { ROWS } from "../../src/smtp/replies/rows.ts";

// Tests run in workerd, which has no files: they are read when this is built.
const [page = ""] = Object.values(
  import.meta.glob<string>("../../docs/oauth.md", { query: "?raw", import: "default", eager: true }),
);

describe("docs/oauth.md", () => {
  const fields = Object.keys(settingsFields).filter((name) => /^auth(Token|Type)/.test(name));

  it("explains every field of tokens in its table", () => {
    expect(fields).toHaveLength(7);
    expect(fields.filter((name) => !page.includes(`\n| \`${name}\` | `))).toEqual([]);
  });

  it("explains every error of a token endpoint that has a hint of its own", () => {
    const examples = ROWS.flatMap(({ example: { oauth } }) => (oauth?.kind === "rejected" ? [oauth] : []));
    const codes = examples.map(({ error, description = "" }) => /AADSTS\d+/.exec(description)?.[0] ?? error);
    expect(codes.length).toBeGreaterThan(10);
    const general = ["invalid_request", "unsupported_grant_type"];
    expect(codes.filter((code) => !general.includes(code ?? "") && !page.includes(`\`${code}\``))).toEqual(
      [],
    );
  });

  it("shows settings that are valid", () => {
    const [, json = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
    const settings: object = JSON.parse(json);
    expect(settings).toMatchObject({ authType: "token", host: "smtp.office365.com" });
    expect(settingsSchema.safeParse(settings)).toMatchObject({ success: true });
  });
});
