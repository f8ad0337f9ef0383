import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, it } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { ContainerWorkers } from "./container-workers.ts";
import { chaos, seeds, startCounter } from "./testdata/chaos.ts";

const client = installedClient();
const { image, remove } = makeImage(client, "src/sdk/testdata/program.ts");
afterAll(remove);

it.each(seeds(2))(
  "no call is lost or runs unseen when containers are killed: seed %i",
  { timeout: 300_000 },
  async (seed) => {
    const env = { ...process.env, HOME: temporaryFolder() };
    const engine = new ContainerWorkers(client, env, undefined);
    const counter = await startCounter();
    // It may have ended already.
    const kill = ({ host }: { readonly host: string }) =>
      promisify(execFile)(client.path, ["kill", "--signal=KILL", host]).then(
        () => {},
        () => {},
      );
    const start = { image, network: "host" } as const;
    await chaos(seed, engine, `http://127.0.0.1:${counter.port}`, counter, { kill }, start);
  },
);
