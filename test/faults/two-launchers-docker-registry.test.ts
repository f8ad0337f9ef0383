import { describe } from "vitest";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { open, takesTwoAtOnce } from "./testdata/two-launchers.ts";

describe("docker-registry", () => {
  takesTwoAtOnce(async () => open(await startDockerRegistry({ auth: "none" })));
});
