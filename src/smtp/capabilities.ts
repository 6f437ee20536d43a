/** Extensions that are read. Servers offer some twenty. */
const EXTENSIONS_MAX = 100;

/** SASL mechanisms that are read. Servers offer fewer than ten, and each is shown. */
export const MECHANISMS_MAX = 20;

/** What a server offers in its EHLO reply (RFC 5321 section 4.1.1.1). */
export interface Capabilities {
  /** Keywords of the extensions, in upper case. */
  extensions: ReadonlySet<string>;
  /** SASL mechanisms (RFC 4954 section 3), in upper case. */
  mechanisms: ReadonlySet<string>;
  /** Message size limit in octets (RFC 1870 section 3), if the server states one. */
  maxMessageSize: number | undefined;
}

/** What a server offers before its first EHLO reply, and to a client that falls back to HELO. */
export const NO_CAPABILITIES: Capabilities = {
  extensions: new Set(),
  mechanisms: new Set(),
  maxMessageSize: undefined,
};

/** Parses a positive EHLO reply. Its first line is the server's name. */
export function parseCapabilities(ehloReply: string): Capabilities {
  const [, ...lines] = ehloReply
    .split("\n", 1 + EXTENSIONS_MAX)
    .map((line) => line.slice(4).trim().toUpperCase());
  const words = lines.map((line) => line.split(" "));
  // "AUTH=LOGIN" predates RFC 2554.
  const auth = lines.filter((line) => /^AUTH[ =]/.test(line)).flatMap((line) => line.split(/[ =]+/).slice(1));
  // RFC 4422 section 3.1. Results show the names, and any server may send them.
  const names = new Set(auth.filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name)));
  const size = Number(words.find(([keyword]) => keyword === "SIZE")?.[1]);
  return {
    extensions: new Set(words.map(([keyword]) => keyword ?? "")),
    mechanisms: new Set([...names].slice(0, MECHANISMS_MAX)),
    // RFC 1870 section 4: 0 means no fixed limit.
    maxMessageSize: size > 0 ? size : undefined,
  };
}
