import { describe } from "vitest";
import { openRegistry } from "../../src/registry/client/open.ts";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { user } from "../registries/testdata/suite.ts";
import { survives } from "./testdata/suite.ts";

describe.each([false, true])("a push to docker-registry, with passwords: %s", (guarded) => {
  survives(async () => {
    const host = await startDockerRegistry({ auth: guarded ? "htpasswd" : "none" });
    const target = { port: Number(host.split(":")[1]) };
    return { target, openDirect: () => openRegistry(host, { findCredential: async () => user }) };
  });
});
