import { vi } from "vitest";

/** The warning of an environment in which tests dial this machine. */
export const PRIVATE_HOSTS_WARNING =
  "ALLOW_PRIVATE_HOSTS is for local work: tenants reach servers on private addresses";

/**
 * Runs `run`, and captures the lines that the Worker logs meanwhile.
 *
 * @param without leaves out lines with this text
 */
export async function captureLog<Result>(
  run: () => Promise<Result>,
  without = PRIVATE_HOSTS_WARNING,
): Promise<{ result: Result; lines: string[] }> {
  const lines: string[] = [];
  const spies = (["debug", "error", "info", "log", "trace", "warn"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      const line = parts.map(String).join(" ");
      if (without === "" || !line.includes(without)) lines.push(line);
    }),
  );
  try {
    return { result: await run(), lines };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Sends one request, and parses the only line that it logs. */
export async function captureLogEntry(
  send: () => Promise<Response>,
): Promise<{ response: Response; line: string; entry: Record<string, unknown> }> {
  const { result: response, lines } = await captureLog(send);
  const [line] = lines;
  if (line === undefined || lines.length > 1) throw new Error(`${lines.length} lines in the log`);
  return { response, line, entry: JSON.parse(line) as Record<string, unknown> };
}
