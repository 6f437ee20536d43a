import { reset } from "cloudflare:test";
import { beforeAll } from "vitest";

// Test files share a Worker, but each starts with an empty store.
beforeAll(reset);
