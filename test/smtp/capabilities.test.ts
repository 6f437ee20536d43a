import { describe, expect, it } from "vitest";
import { parseCapabilities } from "../../src/smtp/capabilities.ts";

/** The capabilities of a server that offers these extensions. */
function capabilitiesOf(...extensions: string[]) {
  const lines = ["mx.example.net", ...extensions];
  const reply = lines.map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}`).join("\n");
  const { extensions: keywords, mechanisms, maxMessageSize } = parseCapabilities(reply);
  return { extensions: [...keywords], mechanisms: [...mechanisms], maxMessageSize };
}

describe("parseCapabilities", () => {
  it("reads extensions, mechanisms and the size limit", () => {
    expect(capabilitiesOf("PIPELINING", "SIZE 100000", "AUTH PLAIN LOGIN", "SMTPUTF8")).toEqual({
      extensions: ["PIPELINING", "SIZE", "AUTH", "SMTPUTF8"],
      mechanisms: ["PLAIN", "LOGIN"],
      maxMessageSize: 100_000,
    });
  });

  it("reads keywords in any case", () => {
    expect(capabilitiesOf("starttls", "Auth plain")).toMatchObject({
      extensions: ["STARTTLS", "AUTH"],
      mechanisms: ["PLAIN"],
    });
  });

  it("ignores the server's name, even one that looks like an extension", () => {
    expect(parseCapabilities("250 STARTTLS").extensions).toEqual(new Set());
    expect(parseCapabilities("250-AUTH PLAIN\n250 HELP").mechanisms).toEqual(new Set());
  });

  it.each([
    ["AUTH=LOGIN, the form before RFC 2554", ["AUTH=LOGIN"], ["LOGIN"]],
    ["both forms", ["AUTH PLAIN", "AUTH=PLAIN LOGIN"], ["PLAIN", "LOGIN"]],
    ["a longer mechanism under its own name", ["AUTH PLAIN-CLIENTTOKEN"], ["PLAIN-CLIENTTOKEN"]],
    ["XAUTH PLAIN as another extension", ["XAUTH PLAIN"], []],
    ["AUTHX PLAIN as another extension", ["AUTHX PLAIN"], []],
    ["HELP AUTH PLAIN as another extension", ["HELP AUTH PLAIN"], []],
  ])("reads %s", (_, extensions, mechanisms) => {
    expect(capabilitiesOf(...extensions).mechanisms).toEqual(mechanisms);
  });

  it("reads 20 mechanisms and 100 extensions of a server that offers them without end", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `X${index}`);
    const { mechanisms, extensions } = capabilitiesOf(
      `AUTH ${names.slice(0, 15).join(" ")}`,
      `AUTH=${names.slice(10).join(" ")}`,
      ...names,
    );
    expect(mechanisms).toEqual(names.slice(0, 20));
    expect(extensions).toHaveLength(100);
  });

  it.each([
    ["SIZE without a number", "SIZE"],
    ["SIZE 0 (RFC 1870 section 4)", "SIZE 0"],
    ["a SIZE that is no number", "SIZE many"],
    ["a negative SIZE", "SIZE -1"],
  ])("reads no size limit from %s", (_, extension) => {
    const { extensions, maxMessageSize } = capabilitiesOf(extension);
    expect(extensions).toEqual(["SIZE"]);
    expect(maxMessageSize).toBeUndefined();
  });
});
