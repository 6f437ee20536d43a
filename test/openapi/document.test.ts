import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { errorResponses } from "../../openapi/lib/errors.ts";
import type { JsonSchema } from "../../openapi/lib/types.ts";
import { app } from "../../src/app.ts";
import { listQuerySchema } from "../../src/delivery/schema.ts";
import { EXAMPLE_HOSTNAME } from "../../src/docs/routes.ts";
import { API_ERRORS } from "../../src/errors.ts";
import { historyQuerySchema } from "../../src/history/schema.ts";
import { settingsFields } from "../../src/settings/fields.ts";
import { settingsSchema, testSchema } from "../../src/settings/schema.ts";
import { MECHANISMS_MAX } from "../../src/smtp/capabilities.ts";
import { explain } from "../../src/smtp/explain.ts";
import { fillHint, ROWS } from "../../src/smtp/replies/rows.ts";
import { document, operations, schemaOf } from "../support/documented.ts";
import { smtpFailure } from "../support/smtp/failures.ts";
import { symptomOf } from "../support/smtp/symptoms.ts";

const SHIFT = "/auth/realms/{tenantId}/mail";

const schemas = Object.entries(document.components.schemas);

function propertiesOf(schema: JsonSchema | undefined): Record<string, JsonSchema> {
  return (schema?.properties ?? {}) as Record<string, JsonSchema>;
}

describe("document", () => {
  it("lists exactly the operations that the app routes", () => {
    const routes = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(documented.sort()).toEqual([...new Set(routes)].sort());
  });

  it("contains the example host only where the Worker must replace it", () => {
    const hosts = document.servers.map(({ variables }) => variables.hostname?.default);
    expect(hosts).toEqual([EXAMPLE_HOSTNAME, EXAMPLE_HOSTNAME]);
    const rest = JSON.stringify(document, (name, value) => (name === "hostname" ? undefined : value));
    expect(rest).not.toContain(EXAMPLE_HOSTNAME);
  });

  it.each(Object.keys(API_ERRORS))("documents %s for an operation that responds with it", (kind) => {
    const examples = operations.flatMap(({ operation }) =>
      Object.values(operation.responses).flatMap(({ content }) =>
        Object.keys(content["application/json"]?.examples ?? {}),
      ),
    );
    expect(examples).toContain(kind);
  });

  it.each(schemas)("describes each field of %s", (_, schema) => {
    const fields = Object.entries(propertiesOf(schema));
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.filter(([, { description }]) => !description)).toEqual([]);
  });

  it("limits each string and list of responses", () => {
    const { Settings, TestRequest, Mail, MailHeaders, ...responses } = document.components.schemas;
    const unlimited: JsonSchema[] = [];
    JSON.stringify(responses, (_, value) => {
      const { type, enum: words, const: word, maxLength, maxItems } = value ?? {};
      const maximum = type === "array" ? maxItems : (maxLength ?? words ?? word);
      if (["string", "array"].includes(type) && maximum === undefined) unlimited.push(value);
      return value;
    });
    expect(unlimited).toEqual([]);
  });

  it("lists the types of a field as alternatives", () => {
    const { ssl, authType } = propertiesOf(document.components.schemas.Settings);
    expect(ssl).toMatchObject({ anyOf: [{ type: "boolean" }, { type: "string" }, { type: "null" }] });
    expect(authType?.type).toEqual(["string", "null"]);
  });

  it("describes each header and parameter", () => {
    const described = operations.flatMap(({ operation }) => [
      ...(operation.parameters ?? []),
      ...Object.values(operation.responses).flatMap(({ headers }) => Object.values(headers)),
    ]);
    expect(described.filter(({ description }) => !description)).toEqual([]);
  });
});

it("links the id of a sent message to the operations on it", () => {
  const { links = {} } = document.paths[`${SHIFT}/messages`]?.post?.responses[202] ?? {};
  const targets = Object.values(links).map(({ operationId, parameters }) => {
    expect(parameters).toEqual({ tenantId: "$request.path.tenantId", id: "$response.body#/id" });
    return operations.find(({ name }) => name === operationId)?.path;
  });
  expect(targets).toEqual(["", "", "/retry"].map((end) => `${SHIFT}/messages/{id}${end}`));
});

describe.each(operations)("$name", ({ operation: { responses } }) => {
  const contents = Object.entries(responses).flatMap(([status, { content }]) =>
    Object.entries(content).map(([mediaType, media]) => ({ status, mediaType, ...media })),
  );

  it("has an example for each status", () => {
    const without = contents.filter(
      ({ examples = {}, example }) => example === undefined && Object.keys(examples).length === 0,
    );
    expect(without).toEqual([]);
  });

  it("has examples of responses that match their schemas and have no undocumented members", () => {
    const json = contents.filter(({ mediaType }) => mediaType === "application/json");
    for (const media of json) {
      for (const { value } of Object.values(media.examples ?? {})) {
        expect(z.parse(schemaOf(media), value)).toEqual(value);
      }
    }
    expect(json.length).toBeGreaterThan(0);
  });
});

it("merges errors of the same status", () => {
  const { 403: forbidden, 404: notFound } = errorResponses(["plain_http", "role_missing", "not_found"]);
  const { plain_http, role_missing, not_found } = API_ERRORS;
  expect(forbidden?.description).toBe(`${plain_http.description} ${role_missing.description}`);
  expect(Object.keys(forbidden?.headers ?? {})).toEqual(["WWW-Authenticate"]);
  const { examples = {} } = forbidden?.content["application/json"] ?? {};
  expect(Object.keys(examples)).toEqual(["plain_http", "role_missing"]);
  expect(notFound?.description).toBe(not_found.description);
});

it("has the diagnosis of a rejected password as the Worker words it", () => {
  const { diagnosis } = API_ERRORS.smtp_failed.example;
  const reply = "535 5.7.8 Username and password not accepted";
  const settings = z.parse(settingsSchema, { host: "smtp.example.com", from: "sender@example.com" });
  const { steps } = z.parse(z.object({ steps: z.array(z.any()) }), diagnosis);
  expect(explain(smtpFailure("reply", "authentication", { steps, reply }), { settings }).diagnosis).toEqual(
    diagnosis,
  );
});

it("has room for each hint, with all mechanisms that are read and the longest host name", () => {
  const mechanisms = Array.from({ length: MECHANISMS_MAX }, () => "X".repeat(20));
  const clientName = "a".repeat(253);
  const hints = ROWS.map((row) => fillHint(row, { ...symptomOf(row.example), mechanisms, clientName }));
  const longest = Math.max(...hints.map((hint) => hint.length));
  expect(longest).toBeGreaterThan(600);
  expect(longest).toBeLessThan(propertiesOf(document.components.schemas.SmtpFailed).hint?.maxLength ?? 0);
});

/** Validates one field of settings by itself. */
function parseField(field: string, value: unknown) {
  const schema = new Map<string, z.ZodMiniType>(Object.entries(settingsFields)).get(field);
  return z.safeParse(schema ?? z.never(), value);
}

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

  it.each(bodies)("$name is valid", ({ schema, value }) => {
    expect(z.safeParse(schema, value)).toMatchObject({ success: true });
  });

  const fields = Object.entries(propertiesOf(document.components.schemas.Settings)).flatMap(
    ([field, { examples = [] }]) => (examples as unknown[]).map((example) => ({ field, example })),
  );

  it.each(fields)("$field: $example is valid", ({ field, example }) => {
    expect(parseField(field, example)).toMatchObject({ success: true });
  });

  it("exist for each field", () => {
    expect([...new Set(fields.map(({ field }) => field))]).toEqual(Object.keys(settingsFields));
  });
});

describe("documented rule of a field", () => {
  const properties = propertiesOf(document.components.schemas.Settings);
  const accepts = (field: string, value: unknown) => parseField(field, value).success;
  const textOf = (field: string, length: number) =>
    (field === "authTokenUrl" ? "https://example.com/" : "").padEnd(length, "x");

  // The limit of an address is in octets.
  const limited = Object.entries(properties).filter(
    ([name, { maxLength }]) => maxLength !== undefined && !["from", "replyTo", "envelopeFrom"].includes(name),
  );

  it.each(limited)(
    "%s: the maximum length is the one that validation enforces",
    (field, { maxLength = 0 }) => {
      expect(maxLength).toBeGreaterThanOrEqual(100);
      const accepted = [maxLength, maxLength + 1].map((length) => accepts(field, textOf(field, length)));
      expect(accepted).toEqual([true, false]);
    },
  );

  it.each(["0", "00", "1", "587", "65535", "70000", "99999", "100000", "-1", "1.5", "1e3", "x", ""])(
    "port: the pattern rejects %j only if validation does",
    (text) => {
      expect(accepts("port", text) && !new RegExp(properties.port?.pattern ?? "").test(text)).toBe(false);
    },
  );

  it.each([0, 1, 65_535, 65_536])("port: range and validation agree on %i", (port) => {
    const { minimum = Number.NaN, maximum = Number.NaN } = properties.port ?? {};
    expect(port >= minimum && port <= maximum).toBe(accepts("port", port));
  });

  it.each([
    ["readHistory_SSMS", historyQuerySchema],
    ["listMails_SSMS", listQuerySchema],
  ])("limit of %s: range and validation agree", (operationId, query) => {
    const { parameters } = operations.find(({ name }) => name === operationId)?.operation ?? {};
    const { minimum = 0, maximum = 0 } = parameters?.find(({ name }) => name === "limit")?.schema ?? {};
    const limits = [minimum - 1, minimum, maximum, maximum + 1];
    const accepted = limits.map((limit) => z.safeParse(query, { limit: String(limit) }).success);
    expect(accepted).toEqual([false, true, true, false]);
  });

  it.each(["true", "FALSE", "True", "", "yes", "1", "truefalse"])(
    "flags: pattern and validation agree on %j",
    (text) => {
      expect(new RegExp(properties.ssl?.pattern ?? "").test(text)).toBe(accepts("ssl", text));
    },
  );

  it("host and from are the mandatory ones", () => {
    expect(document.components.schemas.Settings?.required).toEqual(["host", "from"]);
  });

  it("mode: validation accepts each documented value", () => {
    const { mode } = propertiesOf(document.components.schemas.TestRequest);
    expect(mode?.enum).toHaveLength(4);
    expect(mode?.enum?.filter((word) => !z.safeParse(testSchema, { mode: word }).success)).toEqual([]);
  });
});
