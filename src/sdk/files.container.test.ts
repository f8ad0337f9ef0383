import { afterAll, describe, expect, it, vi } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { describeFiles, filesProgram, folderOfTest, runFiles } from "./testdata/files.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

const client = installedClient();

describe(`in a container of ${client.name}`, () => {
  const { image, remove } = makeImage(client, filesProgram);
  afterAll(remove);
  const env = {
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "container",
    DOCKER_HOST: process.env["DOCKER_HOST"] ?? "",
  };
  describeFiles("a container", () => env);

  it("are good until the program ends where they cannot be stored", async () => {
    const { result, err } = await runFiles("result", { ...env, OUT: folderOfTest() });
    expect(result, err).toMatchObject({ bytes: "hello" });
    expect(err.match(/^slipway: Files of results cannot be stored in localhost\//gm), err).toHaveLength(1);
  });
});
