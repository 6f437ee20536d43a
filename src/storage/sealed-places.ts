/** What tells which keys a place needs: the metadata of the records in KV, or that of the entries of outboxes. */
export type KeyListing = "settings" | "outboxes";

interface SealedPlace {
  /** Where to look for the keys that it needs. Without one, a key may go at any time. */
  listing?: KeyListing;
}

/**
 * Every place that stores what a settings key has sealed, or fingerprinted. {@link seal} and {@link fingerprint} take no
 * other, so rotation, which follows this list, knows of every value that needs a key.
 */
export const SEALED_PLACES = {
  /** Records in KV. Rotation seals them again. */
  settings: { listing: "settings" },
  /** Messages in an outbox: sealed again by a retry, gone 10 days after either. */
  messages: { listing: "outboxes" },
  /** Fingerprints of requests with an idempotency key: gone after 7 days. */
  idempotencyKeys: { listing: "outboxes" },
  /** Fingerprints of settings that have worked in an outbox. One that no key verifies is that of other settings. */
  loginFingerprints: {},
} satisfies Record<string, SealedPlace>;

export type SealedPlaceName = keyof typeof SEALED_PLACES;

/**
 * Whether a stored value may need a key.
 *
 * @param listings what each listing names: for each of its entries the `kid`s, or `undefined` if they are unknown
 */
export function isKeyNeeded(
  kid: string,
  listings: Record<KeyListing, readonly (readonly string[] | undefined)[]>,
): boolean {
  const places: SealedPlace[] = Object.values(SEALED_PLACES);
  return places.some(
    ({ listing }) => listing !== undefined && listings[listing].some((kids) => kids?.includes(kid) ?? true),
  );
}
