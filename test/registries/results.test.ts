import { describe, onTestFinished } from "vitest";
import { openRegistry } from "../../src/registry/client/open.ts";
import { keepsResults } from "../../src/results/testdata/suite.ts";
import { startDockerRegistry } from "./testdata/docker-registry.ts";
import { user } from "./testdata/suite.ts";

describe.each(["none", "htpasswd"] as const)("results in docker-registry, authentication: %s", (auth) => {
  keepsResults(async () => {
    const client = openRegistry(await startDockerRegistry({ auth }), { findCredential: async () => user });
    onTestFinished(() => client.close());
    return client;
  });
});
