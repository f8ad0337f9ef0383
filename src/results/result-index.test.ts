import { describe, onTestFinished } from "vitest";
import { openRegistry } from "../registry/client/open.ts";
import { serverOfTest } from "../registry-server/testdata/fixture.ts";
import { keepsResults } from "./testdata/suite.ts";

describe("results in the embedded registry", () => {
  keepsResults(async () => {
    const { paths, host } = await serverOfTest();
    const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
    onTestFinished(() => client.close());
    return client;
  });
});
