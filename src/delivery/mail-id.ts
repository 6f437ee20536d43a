/** Ticks per millisecond: the 12 bits that RFC 9562 section 6.2 (method 3) leaves for a finer clock. */
const TICKS = 4096;

/** Makes ids of messages: UUIDs version 7 (RFC 9562 section 5.7), each greater than all before it. */
export class MailIds {
  #lastTicks: number;

  /** @param newest the greatest id so far */
  constructor(newest: string | undefined) {
    this.#lastTicks = newest === undefined ? 0 : ticksOf(newest);
  }

  /** A clock that stands still, or has gone back, does not change the order. */
  next(now: number): string {
    this.#lastTicks = Math.max(now * TICKS, this.#lastTicks + 1);
    return uuidV7(this.#lastTicks, crypto.randomUUID());
  }
}

/** The least id of a time: all ids made before it are less. */
export function leastIdAt(time: number): string {
  return uuidV7(time * TICKS, "00000000-0000-0000-0000-000000000000");
}

function uuidV7(ticks: number, random: string): string {
  const time = hex(Math.floor(ticks / TICKS), 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(ticks % TICKS, 3)}${random.slice(18)}`;
}

function ticksOf(id: string): number {
  const digits = id.replaceAll("-", "");
  return Number.parseInt(digits.slice(0, 12), 16) * TICKS + Number.parseInt(digits.slice(13, 16), 16);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
