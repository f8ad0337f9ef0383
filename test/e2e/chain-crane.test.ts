import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startCraneRegistry } from "../registries/testdata/crane-registry.ts";
import { chain } from "./chain.ts";

chain({
  "crane's registry": async (user) => {
    const storage = join(user.places.registries, "crane");
    mkdirSync(storage);
    const host = await startCraneRegistry(storage);
    return { host, secrets: [], env: { SLIPWAY_REGISTRY: host }, login: () => user.noLogins };
  },
});
