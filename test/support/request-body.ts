/** The largest body that the API accepts. */
export const BODY_MAX_BYTES = 16 * 1024;

/** Encodes JSON, and pads it with spaces to a number of bytes. */
export function jsonOfLength(json: object, bytes: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json).padEnd(bytes, " "));
}

/** Streams bytes in chunks, so the request has no `Content-Length`. */
export function inChunks(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const chunks = [bytes.subarray(0, 1000), bytes.subarray(1000, 9000), bytes.subarray(9000)];
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}
