/** The members of `traceparent` in version 00; later versions may append others. None of the ids is all zero. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=-|$)/;

/** Characters of these members. Version 00 has no others. */
const LENGTH = 55;

/**
 * Validates the `traceparent` of a caller, so that only a trace, and no other text, reaches the log.
 *
 * @returns the members that version 00 knows; `undefined` if the header is absent or not valid
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function validTraceparent(header: string | undefined): string | undefined {
  const [traceparent] = TRACEPARENT.exec(header ?? "") ?? [];
  const isTooLong = header?.startsWith("00") && header.length > LENGTH;
  return isTooLong ? undefined : traceparent;
}
