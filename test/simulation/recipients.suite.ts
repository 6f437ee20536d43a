import { runScenarios } from "./run-scenarios.ts";
import { RECIPIENTS } from "./scenarios/recipients.ts";

runScenarios(RECIPIENTS);
