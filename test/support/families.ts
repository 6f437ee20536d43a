/** Both address families, so that the same tests run for each. */
export const families = [
  {
    family: "SSMS",
    address: (tenant: string) => `https://${tenant}.example.com/digitanium/v4/mail/config`,
    testAddress: (tenant: string) => `https://${tenant}.example.com/digitanium/v4/mail/test`,
  },
  {
    family: "SHIFT",
    address: (tenant: string) => `https://example.com/auth/realms/${tenant}/mail/setup`,
    testAddress: (tenant: string) => `https://example.com/auth/realms/${tenant}/mail/test`,
  },
] as const;
