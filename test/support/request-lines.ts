import { vi } from "vitest";

/** The lines that the Worker wrote to its log while `run` ran, and what `run` gave. */
export async function withLog<Result>(
  run: () => Promise<Result>,
): Promise<{ result: Result; lines: string[] }> {
  const lines: string[] = [];
  const spies = (["debug", "log", "info", "warn", "error"] as const).map((level) =>
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

/** Sends one request, and reads the one line that it left in the log. */
export async function logged(
  send: () => Promise<Response>,
): Promise<{ response: Response; line: string; entry: Record<string, unknown> }> {
  const { result: response, lines } = await withLog(send);
  const [line] = lines;
  if (line === undefined || lines.length > 1) throw new Error(`${lines.length} lines in the log`);
  return { response, line, entry: JSON.parse(line) as Record<string, unknown> };
}
