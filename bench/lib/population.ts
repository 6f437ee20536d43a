/** Tenants of a population that are measured, evenly spread over it. */
export const MEASURED_TENANTS = 10;

/** A tenant's id. */
export function tenantAt(index: number): string {
  return `tenant-${index}`;
}

/** The measured tenants of a population, which is a multiple of {@link MEASURED_TENANTS}. */
export function measuredTenants(population: number): string[] {
  return Array.from({ length: MEASURED_TENANTS }, (_, index) =>
    tenantAt((index * population) / MEASURED_TENANTS),
  );
}
