import { describe, expect, it } from "vitest";

const sources = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });

/** Files and folders of src/, the lowest layer first. A file imports from lower layers and from its own folder. */
const LAYERS = [
  ["defined", "log", "read-text", "redact"],
  ["errors"],
  ["mail", "storage", "auth"],
  ["oauth", "dns"],
  ["smtp"],
  ["config"],
  ["context"],
  ["http"],
  ["middleware"],
  ["settings", "history", "delivery", "key-rotation", "keycloak", "health", "docs"],
  ["app", "scheduled"],
  ["index"],
];

/** Where features meet. */
const SHARED = [
  "settings/store",
  "settings/schema",
  "settings/fields",
  "settings/token-settings",
  "history/record",
];

interface Import {
  from: string;
  to: string;
}

const imports: Import[] = Object.entries(sources).flatMap(([path, text]) => {
  const from = path.slice("../src/".length, -".ts".length);
  return Array.from(text.matchAll(/(?:from|import\()\s*"(\.[^"]+)\.ts"/g), ([, relative = ""]) => ({
    from,
    to: new URL(relative, `https://src/${from}`).pathname.slice(1),
  }));
});

describe("imports within src/", () => {
  it("belong to a known layer", () => {
    const unknown = imports.flatMap(({ from, to }) => [from, to]).filter((file) => layerOf(file) < 0);
    expect(unknown).toEqual([]);
  });

  it("run from higher layers to lower ones", () => {
    const upward = imports.filter(
      ({ from, to }) => roomOf(from) !== roomOf(to) && layerOf(from) < layerOf(to),
    );
    expect(upward).toEqual([]);
  });

  it("connect rooms of one layer only where features meet", () => {
    const sideways = imports.filter(
      ({ from, to }) =>
        roomOf(from) !== roomOf(to) &&
        layerOf(from) === layerOf(to) &&
        !SHARED.includes(to) &&
        roomOf(from) !== "app",
    );
    expect(sideways).toEqual([]);
  });
});

function roomOf(file: string): string {
  return file.split("/")[0] ?? "";
}

function layerOf(file: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(roomOf(file)));
}
