/** Settings for a server on this machine, as a request carries them, with changes. */
export function localSettings(port: number, changes: Record<string, unknown> = {}) {
  return {
    host: "localhost",
    port,
    from: "sender@example.com",
    starttls: true,
    user: "postmaster",
    password: "correct horse",
    ...changes,
  };
}
