/**
 * Reads a body as UTF-8, and stops at a limit: an endless one would take all memory.
 *
 * @throws {Error} `tooLarge` at the limit
 */
export async function readText(response: Response, maxBytes: number, tooLarge: Error): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
