/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";
import { isKeyNeeded, SEALED_PLACES } from "../../src/storage/sealed-places.ts";

const SOURCES = Object.entries(
  import.meta.glob<string>("../../src/**/*.ts", { query: "?raw", import: "default", eager: true }),
);

describe("the list of sealed places", () => {
  it("has each place that seals or fingerprints, and no other", () => {
    const named = SOURCES.flatMap(([, source]) =>
      [...source.matchAll(/\b(?:seal|fingerprint)\(\s*"(\w+)"/g)].map(([, place]) => place),
    );
    expect([...new Set(named)].sort()).toEqual(Object.keys(SEALED_PLACES).sort());
  });

  it("cannot be passed by: one file encrypts, and makes fingerprints", () => {
    const files = SOURCES.filter(([, source]) => /EncryptJWT|subtle\.(sign|encrypt|wrapKey)/.test(source));
    expect(files.map(([path]) => path)).toEqual(["../../src/storage/sealing.ts"]);
  });
});

describe("isKeyNeeded", () => {
  it.each<[boolean, string, Parameters<typeof isKeyNeeded>[1]]>([
    [false, "nothing is stored", { settings: [], outboxes: [] }],
    [false, "other keys are named", { settings: [["new"]], outboxes: [["new", "newer"]] }],
    [true, "a record names it", { settings: [["new"], ["old"]], outboxes: [] }],
    [true, "an outbox names it", { settings: [["new"]], outboxes: [["new", "old"]] }],
    [true, "the key of a record is unknown", { settings: [undefined], outboxes: [] }],
  ])("is %s if %s", (isNeeded, _, listings) => {
    expect(isKeyNeeded("old", listings)).toBe(isNeeded);
  });
});
