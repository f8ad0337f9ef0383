import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { helperOfTest } from "../functions/testdata/helper.ts";
import { pushImage } from "../kubernetes/testdata/image.ts";
import type { Digest } from "../oci/digest.ts";
import { openRegistry } from "../registry/client/open.ts";
import { serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { digestOfTag, tagOfFile } from "../results/file.ts";
import { digestOf, folderOfTest, runFiles } from "./testdata/files.ts";
import { pushFilesProgram } from "./testdata/files-image.ts";

vi.setConfig({ testTimeout: 300_000 });

/** The program in an image of an embedded registry, with a helper. */
async function programOfTest() {
  const { env, paths } = await stateOfTest();
  const registry = await serverOfTest({ paths });
  const image = await pushFilesProgram(registry);
  const client = openRegistry(registry.host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  const variables = {
    XDG_STATE_HOME: env["XDG_STATE_HOME"] ?? "",
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "container",
    SLIPWAY_ENGINE_HELPER: helperOfTest(),
  };
  const stored = async () =>
    (await client.listTags("test/files")).map(digestOfTag).filter((digest) => digest !== undefined);
  return { variables, client, stored, image };
}

it("keeps the content of results in the registry, once", async () => {
  const { variables, client, stored } = await programOfTest();
  const OUT = folderOfTest();
  const { result, err } = await runFiles("result", { ...variables, OUT });
  expect(result, err).toMatchObject({ digest: digestOf("hello"), bytes: "hello" });
  expect(await stored()).toEqual([digestOf("hello")]);
  const manifest = await client.headManifest("test/files", tagOfFile(digestOf("hello") as Digest));
  await runFiles("result", { ...variables, OUT });
  expect(await client.headManifest("test/files", tagOfFile(digestOf("hello") as Digest))).toEqual(manifest);
  // The files that a call gets are nobody's result.
  const DATA = join(folderOfTest(), "data.csv");
  writeFileSync(DATA, "argument");
  await runFiles("argument", { ...variables, DATA });
  expect(await stored()).toEqual([digestOf("hello")]);
  expect((await runFiles("none", variables)).result).toBe(3);
});

it("fetches the content of a kept result, and runs again where it is gone", async () => {
  const { variables, client, stored } = await programOfTest();
  const first = await runFiles("keep", variables);
  expect(first.result, first.err).toEqual({ text: "kept", saved: "kept" });
  expect(first.err).toContain("writing\n");
  const again = await runFiles("keep", variables);
  expect(again.result, again.err).toEqual({ text: "kept", saved: "kept" });
  expect(again.err).not.toContain("writing\n");
  expect(await stored()).toEqual([digestOf("kept")]);
  await client.deleteManifest("test/files", tagOfFile(digestOf("kept") as Digest));
  const data = join(variables.XDG_STATE_HOME, "slipway/registry/data");
  const names = readdirSync(data, { recursive: true, encoding: "utf8" });
  const blob = names.filter((name) => name.includes(digestOf("kept").slice("sha256:".length)));
  expect(blob).not.toEqual([]);
  for (const name of blob) rmSync(join(data, name), { recursive: true, force: true });
  const gone = await runFiles("keep", variables);
  expect(gone.result, gone.err).toEqual({ text: "kept", saved: "kept" });
  expect(gone.err).toContain("writing\n");
  expect(await stored()).toEqual([digestOf("kept")]);
});

it("are handed on by programs in Python too", async () => {
  const { env, paths } = await stateOfTest();
  const registry = await serverOfTest({ paths });
  const look = "import json, sys, sysconfig; print(json.dumps([sys.base_prefix, sysconfig.get_path('stdlib')]))";
  const [prefix = "", library = ""] = JSON.parse(
    execFileSync("python3", ["-c", look], { encoding: "utf8" }),
  ) as string[];
  const python = realpathSync(join(prefix, "bin/python3"));
  // The image has the libraries that this machine's Python needs. Python itself is a volume.
  const modules = readdirSync(join(library, "lib-dynload"));
  const image = await pushImage(
    registry,
    "test/python",
    {
      "libraries/python": python,
      ...Object.fromEntries(modules.map((name) => [`libraries/${name}`, join(library, "lib-dynload", name)])),
    },
    {
      User: "1000:1000",
      Entrypoint: [`/opt/python/bin/${basename(python)}`, "/opt/app/tests/files_program.py"],
      Env: ["PYTHONHOME=/opt/python", "PYTHONPATH=/opt/app", "PATH=/bin", "LANG=C.UTF-8"],
    },
  );
  const app = join(folderOfTest(), "python");
  cpSync("python", app, { recursive: true, dereference: true });
  const OUT = folderOfTest();
  const DATA = join(OUT, "data.csv");
  writeFileSync(DATA, "a,b\n");
  const variables = {
    ...env,
    HOME: process.env["HOME"] ?? "",
    OUT,
    DATA,
    PYTHONPATH: "python",
    VOLUMES: JSON.stringify({
      "/opt/python": { folder: prefix },
      "/opt/app": { folder: app },
    }),
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "container",
    SLIPWAY_ENGINE_HELPER: helperOfTest(),
  };
  const run = (scenario: string) => runFiles(scenario, variables, ["python3", "python/tests/files_program.py"]);
  const { result, err } = await run("result");
  expect(result, err).toEqual(["written", "model.bin", 5, digestOf("hello"), "hello"]);
  expect((await run("argument")).result).toMatchObject({ text: "a,b\n", base: "data.csv" });
  expect((await run("chain")).result).toMatchObject({ text: "chained" });
  expect((await run("folder")).result).toMatchObject({ link: "12", is_executable: true, base: "tree" });
  expect((await run("large")).result).toEqual([20 * 1024 * 1024, 20 * 1024 * 1024]);
  const client = openRegistry(registry.host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  expect(await client.listTags("test/python")).toContain(tagOfFile(digestOf("hello") as Digest));
});
