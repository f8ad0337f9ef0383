import { describe } from "vitest";
import { openRegistry } from "../../src/registry/client/open.ts";
import { serverOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { survives } from "./testdata/suite.ts";

describe("a push to the embedded registry", () => {
  survives(async () => {
    const { paths } = await serverOfTest();
    const target = { socketPath: paths.socket };
    return { target, openDirect: () => openRegistry("localhost:1", { embedded: target }) };
  });
});
