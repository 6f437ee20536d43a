import { vi } from "vitest";

/** Runs `run`, and captures the lines that the Worker logs meanwhile. */
export async function captureLog<Result>(
  run: () => Promise<Result>,
): Promise<{ result: Result; lines: string[] }> {
  const lines: string[] = [];
  const spies = (["debug", "error", "info", "log", "trace", "warn"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      lines.push(parts.map(String).join(" "));
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
