/** An answer of ours, as it went over the wire. */
export interface RecordedAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

let answers: Record<string, RecordedAnswer> | undefined;

/**
 * The floor of the platform: answers what ours has answered, without looking at what does not tell the
 * operations apart. `ANSWERS` holds one answer for each operation.
 */
export function answerOf(request: Request, { ANSWERS }: { ANSWERS: string }): Response {
  answers ??= JSON.parse(ANSWERS) as Record<string, RecordedAnswer>;
  const { status, headers, body } = answers[operationOf(request)] ?? { status: 500, headers: {}, body: "" };
  return new Response(body, { status, headers });
}

function operationOf({ method, url }: Request): string {
  if (!url.startsWith("https:")) return "plain";
  if (url.includes("/forged/")) return "bogus";
  return method === "POST" ? "save" : "read";
}

export default { fetch: answerOf };
