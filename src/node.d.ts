// The modules of Node.js that this code uses in Workers. Its other types stay out, so that `node:fs`, which compiles in
// scripts and tests, does not compile here.

/// <reference types="node/buffer" />
/// <reference types="node/buffer.buffer" />
/// <reference types="node/crypto" />
/// <reference types="node/events" />
/// <reference types="node/net" />
/// <reference types="node/stream" />
/// <reference types="node/tls" />

declare namespace NodeJS {
  /** nodemailer's errors extend it. */
  interface ErrnoException extends Error {
    code?: string | undefined;
  }
}
