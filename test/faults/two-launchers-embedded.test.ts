import { readFileSync } from "node:fs";
import { beforeAll, describe, onTestFinished } from "vitest";
import { openByName } from "../../src/registry/open-by-name.ts";
import { askServer, askStatus } from "../../src/registry-server/client.ts";
import { registryPaths } from "../../src/registry-server/paths.ts";
import { bundleOf } from "../../src/registry-server/testdata/bundle.ts";
import { stateOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { takesTwoAtOnce } from "./testdata/two-launchers.ts";

let bundle: string;
beforeAll(async () => {
  bundle = await bundleOf();
});

// Neither finds it running: each would start it.
describe("the embedded registry", () => {
  takesTwoAtOnce(async () => {
    const { env } = await stateOfTest();
    const { socket } = registryPaths(env);
    onTestFinished(async () => void (await askServer(socket, "POST", "stop")));
    return {
      prepare: (target) => {
        Object.assign(target.env, { XDG_STATE_HOME: env["XDG_STATE_HOME"] });
        target.file("_main/registry.mjs", readFileSync(bundle));
      },
      open: async () => openByName((await askStatus(socket))?.host ?? "", env),
    };
  });
});
