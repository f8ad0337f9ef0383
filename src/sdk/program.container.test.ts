import { afterAll, describe, vi } from "vitest";
import { installedPodman, makeImage } from "../engine/testdata/image.ts";
import { describeFunctions, program } from "./testdata/functions.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 60_000 });

const podman = installedPodman();

describe("in a container of podman", () => {
  const { image, remove } = makeImage(podman.path, program);
  afterAll(remove);
  const env = { SLIPWAY_CONTAINER_IMAGE: image, SLIPWAY_ENGINE: "container" };
  describeFunctions({ env, where: `a container of ${image}`, container: { podman: podman.path, image } });
});
