import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { newSettingsKeys } from "./settings-keys.ts";

/**
 * The file with the secret `SETTINGS_KEYS`, created on first use.
 *
 * @returns its path
 */
export async function secretsFileIn(folder: string): Promise<string> {
  const path = join(folder, "secrets.env");
  await readOrCreate(path, async () => `SETTINGS_KEYS='${newSettingsKeys()}'\n`);
  return path;
}

/** Reads a file that only its owner may read. If it does not exist, writes what `create` returns. */
export async function readOrCreate(path: string, create: () => Promise<string>): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const content = await create();
  await writeFile(path, content, { mode: 0o600, flag: "wx" });
  return content;
}
