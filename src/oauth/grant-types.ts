/** Grants that need no user at the keyboard: RFC 6749 section 4.4, and RFC 7523 section 2.1. */
export const GRANT_TYPES = ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"] as const;

/** The grant of settings that name none. */
export const DEFAULT_GRANT_TYPE = GRANT_TYPES[0];
