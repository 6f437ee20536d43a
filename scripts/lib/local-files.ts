import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "./project.ts";
import { newSettingsKeys } from "./settings-keys.ts";

/** Keys and data of local work. Git ignores it, and it can be deleted to begin anew. */
export const LOCAL_FOLDER = join(PROJECT, ".local");

/**
 * The file with the secret `SETTINGS_KEYS` in a folder, made on first use.
 *
 * @returns its path
 */
export async function secretsFileIn(folder: string): Promise<string> {
  const path = join(folder, "secrets.env");
  await readOrCreate(path, async () => `SETTINGS_KEYS='${newSettingsKeys()}'\n`);
  return path;
}

/** What a file holds, which only its owner may read; `make` gives it if there is no such file. */
export async function readOrCreate(path: string, make: () => Promise<string>): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const content = await make();
  await writeFile(path, content, { mode: 0o600, flag: "wx" });
  return content;
}
