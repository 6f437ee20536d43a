import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { app } from "../../src/app.ts";
import { REFUSALS, SAMPLES, sampleAnswer } from "../../src/openapi/refusals.ts";
import { DISPLAY_NAME_MAX_CHARACTERS, settingsSchema, testSchema } from "../../src/settings/schema.ts";
import { document, operations, responsesOf, schemaOf } from "../support/documented.ts";

const named = operations.map((placed) => ({ name: placed.operation.operationId, ...placed }));

describe("the document and the app", () => {
  it("have the same operations", () => {
    const routes = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(documented.sort()).toEqual([...new Set(routes)].sort());
  });

  it.each(["SSMS", "SHIFT"])("agree on five operations of the family %s", (family) => {
    expect(operations.filter(({ operation }) => operation.tags.includes(family))).toHaveLength(5);
  });

  it("name the base host of the Worker as the default", () => {
    expect(document.servers.map(({ variables }) => variables.hostname?.default)).toEqual([
      "example.com",
      "example.com",
    ]);
  });

  it("know the same kinds of refusals", () => {
    const documented = new Set<string>(Object.values(REFUSALS).flatMap(({ kinds }) => kinds));
    expect(documented).toEqual(new Set(Object.keys(SAMPLES)));
  });

  it.each(Object.entries(REFUSALS))("agree that %s is one status", (_, { kinds }) => {
    expect(new Set(kinds.map((kind) => sampleAnswer(kind).httpStatus)).size).toBe(1);
  });
});

describe.each(named)("$name", (placed) => {
  const contents = responsesOf(placed).flatMap(([status, { content }]) =>
    Object.entries(content).map(([mediaType, media]) => ({ status, mediaType, ...media })),
  );

  it("has an example for each status", () => {
    const without = contents.filter(
      ({ examples = {}, example }) => example === undefined && Object.keys(examples).length === 0,
    );
    expect(without).toEqual([]);
  });

  it("has examples of answers that its schemas take, without a member that they do not know", () => {
    const json = contents.filter(({ mediaType }) => mediaType === "application/json");
    for (const media of json) {
      for (const { value } of Object.values(media.examples ?? {})) {
        expect(z.parse(schemaOf(media), value)).toEqual(value);
      }
    }
    expect(json.length).toBeGreaterThan(0);
  });
});

describe("examples of requests", () => {
  const bodies = operations.flatMap(({ operation }) =>
    Object.values(operation.requestBody?.content ?? {}).flatMap((media) =>
      Object.entries(media.examples ?? {}).map(([name, { value }]) => ({
        name: `${operation.operationId} ${name}`,
        schema: schemaOf(media),
        value,
      })),
    ),
  );

  it.each(bodies)("$name passes the validation of requests", ({ schema, value }) => {
    expect(z.safeParse(schema, value)).toMatchObject({ success: true });
  });

  const fields = Object.entries(document.components.schemas.Settings?.properties ?? {}).flatMap(
    ([field, member]) =>
      ((member as { examples?: unknown[] }).examples ?? []).map((example) => ({ field, example })),
  );

  it.each(fields)("$field may be $example", ({ field, example }) => {
    const settings = { host: "smtp.example.com", from: "sender@example.com", user: "u", [field]: example };
    expect(z.safeParse(settingsSchema, settings)).toMatchObject({ success: true });
  });

  it("are there for each field", () => {
    expect([...new Set(fields.map(({ field }) => field))]).toEqual(
      Object.keys(settingsSchema._zod.def.in._zod.def.shape),
    );
  });
});

describe("what the document says of fields beyond their types", () => {
  const settings = { host: "smtp.example.com", from: "sender@example.com", user: "u" };
  const properties = (document.components.schemas.Settings?.properties ?? {}) as Record<
    string,
    { maxLength?: number; pattern?: string; minimum?: number; maximum?: number; type?: unknown }
  >;
  const accepts = (field: string, value: unknown) =>
    z.safeParse(settingsSchema, { ...settings, [field]: value }).success;

  it.each(["fromDisplayName", "replyToDisplayName", "user", "password"])(
    "%s has the very length at which the validation begins to refuse",
    (field) => {
      const { maxLength = 0 } = properties[field] ?? {};
      expect(maxLength).toBeGreaterThanOrEqual(DISPLAY_NAME_MAX_CHARACTERS);
      expect([accepts(field, "x".repeat(maxLength)), accepts(field, "x".repeat(maxLength + 1))]).toEqual([
        true,
        false,
      ]);
    },
  );

  it.each(["0", "00", "1", "587", "65535", "70000", "99999", "100000", "-1", "1.5", "1e3", "x", ""])(
    "port: the pattern refuses %j only if the validation does",
    (text) => {
      expect(accepts("port", text) && !new RegExp(properties.port?.pattern ?? "").test(text)).toBe(false);
    },
  );

  it.each([0, 1, 65_535, 65_536])("port: the range and the validation agree on %i", (port) => {
    const { minimum = Number.NaN, maximum = Number.NaN } = properties.port ?? {};
    expect(port >= minimum && port <= maximum).toBe(accepts("port", port));
  });

  it.each(["true", "FALSE", "True", "", "yes", "1", "truefalse"])(
    "flags: the pattern and the validation agree on %j",
    (text) => {
      expect(new RegExp(properties.ssl?.pattern ?? "").test(text)).toBe(accepts("ssl", text));
    },
  );

  it("host and from are mandatory, and nothing else", () => {
    expect(document.components.schemas.Settings?.required).toEqual(["host", "from"]);
  });

  it("mode takes what the validation takes", () => {
    const { mode } = (document.components.schemas.TestRequest?.properties ?? {}) as Record<
      string,
      { enum?: unknown[] }
    >;
    expect(mode?.enum?.map((word) => z.safeParse(testSchema, { mode: word }).success)).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});
