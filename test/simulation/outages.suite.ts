import { runScenarios } from "./run-scenarios.ts";
import { OUTAGES } from "./scenarios/outages.ts";

runScenarios(OUTAGES);
