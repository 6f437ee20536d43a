/** Time limits of one session, in milliseconds. */
export interface SmtpTimeouts {
  /** TCP, and TLS if it is implicit. */
  connectMs: number;
  /** From the connection to the server's greeting. */
  greetingMs: number;
  /**
   * From the connection to the first byte, on a port for implicit TLS without `ssl`: a server that expects TLS waits
   * for the client.
   */
  silenceOnTlsPortMs: number;
  /** From one complete reply to the next: a server that sends single bytes does not extend it. */
  replyMs: number;
  /** From the end of a message to its reply. */
  messageReplyMs: number;
  /** From `open()` to `close()`. */
  totalMs: number;
}

/**
 * Time limits of a test: an administrator waits for the result. Any wait may take what the total allows, since some
 * servers delay their greeting to keep bots off, and delivery waits as long.
 */
export const TEST_TIMEOUTS: SmtpTimeouts = {
  connectMs: 10_000,
  greetingMs: 30_000,
  silenceOnTlsPortMs: 5_000,
  replyMs: 30_000,
  messageReplyMs: 30_000,
  totalMs: 30_000,
};

/**
 * Time limits of a delivery, none shorter than those of a test.
 *
 * RFC 5321 section 4.5.3.2.6 allows 10 minutes for the reply to a message: a client that gives up earlier sends it
 * twice. An alarm of Workers may run for 15 minutes in all.
 */
export const DELIVERY_TIMEOUTS: SmtpTimeouts = {
  connectMs: 10_000,
  greetingMs: 30_000,
  silenceOnTlsPortMs: 30_000,
  replyMs: 30_000,
  messageReplyMs: 5 * 60_000,
  totalMs: 14 * 60_000,
};

/** Largest reply, in bytes. RFC 5321 section 4.5.3.1.5 allows 512 per line; an EHLO reply has some twenty lines. */
export const REPLY_MAX_BYTES = 64 * 1024;

/**
 * Limit of the input before TLS, and of the input between two lines that we send after the handshake, in bytes.
 * Servers usually send about 2 KiB. How many lines an authentication has is limited by its mechanisms.
 */
export const INPUT_MAX_BYTES = 128 * 1024;

/** How long the server may take to close its side of the connection after ours, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 500;
