/** The sample request that the product was specified with. */
export { SAMPLE_SETTINGS as sampleSettings } from "../../scripts/lib/sample-settings.ts";
