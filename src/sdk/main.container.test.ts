import { afterAll, describe, vi } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { describeFunctions, program } from "./testdata/functions.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

const client = installedClient();

describe(`in a container of ${client.name}`, () => {
  const { image, remove } = makeImage(client, program);
  afterAll(remove);
  const env = {
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "container",
    DOCKER_HOST: process.env["DOCKER_HOST"] ?? "",
  };
  describeFunctions({ env, where: `a container of ${image}`, container: { client, image } });
});
