/** Why a connection ended, with the negative reply that ended it, if any. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly kind: "timeout" | "closed" | "protocol_error";
  readonly reply: string | undefined;

  constructor(kind: TransportError["kind"], reply?: string) {
    super(kind);
    this.kind = kind;
    this.reply = reply;
  }
}
