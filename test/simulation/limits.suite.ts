import { runScenarios } from "./run-scenarios.ts";
import { LIMITS } from "./scenarios/limits.ts";

runScenarios(LIMITS);
