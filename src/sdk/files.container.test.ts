import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { executable } from "../core/testdata/executable.ts";
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

  it("start no helper for a call without files, and none for a file that goes to a container", async () => {
    const log = join(folderOfTest(), "log");
    const helper = executable("helper", `#!/bin/sh\necho "$*" >> ${log}\nexit 9\n`);
    const variables = { ...env, SLIPWAY_ENGINE_HELPER: helper };
    const { result, err } = await runFiles("none", variables);
    expect(result, err).toBe(3);
    const DATA = join(folderOfTest(), "data.csv");
    writeFileSync(DATA, "a,b\n");
    expect((await runFiles("argument", { ...variables, DATA })).result).toMatchObject({ text: "a,b\n" });
    expect(existsSync(log)).toBe(false);
    // The content of a result is stored. If it cannot be, it is good until the program ends.
    const kept = await runFiles("result", { ...variables, OUT: folderOfTest() });
    expect(kept.result, kept.err).toMatchObject({ bytes: "hello" });
    expect(kept.err).toMatch(/^slipway: Files of results cannot be stored in localhost\/.* status 9 /m);
    expect(readFileSync(log, "utf8")).toBe("files\n");
  });
});
