/** Request fields for an SMTP server on this machine. */
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
