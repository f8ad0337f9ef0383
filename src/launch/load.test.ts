import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { ownPlatform } from "../layer/native.ts";
import { sha256 } from "../oci/digest.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { Target } from "./testdata/target.ts";

/**
 * A podman that is a script: keeps what it is given to load in `loaded.tar`, what it is asked in `asked`, and knows the
 * images whose ids are files in `known`, which have their layers.
 */
function loadTarget(loading = (folder: string) => `cat >'${folder}/loaded.tar'`) {
  const target = new Target("load");
  const bin = join(target.folder, "bin");
  const known = join(target.folder, "known");
  mkdirSync(bin);
  mkdirSync(known);
  const script = `#!/bin/sh
echo "$*" >>'${target.folder}/asked'
case $1 in
  load) ${loading(target.folder)} ;;
  image)
    case "$*" in
      'image ls '*) ls '${known}' ;;
      'image inspect --format '*) shift 4; cd '${known}' && cat "$@" ;;
      *) test -e "${known}/$3" ;;
    esac
    ;;
  tag) test -e "${known}/$2" ;;
esac
`;
  writeFileSync(join(bin, "podman"), script, { mode: 0o755 });
  // Podman elsewhere: how this machine is set up does not matter then.
  const env = { PATH: `${bin}:/usr/bin:/bin`, CONTAINER_HOST: "unix:///none" };
  const asked = () => readFileSync(join(target.folder, "asked"), "utf8").trim().split("\n");
  return { target, env, asked, known };
}

describe("load", () => {
  it("gives the engine one archive that is an OCI layout and what docker saves, and prints the name", async () => {
    const { target, env } = loadTarget();
    const layer = randomBytes(100_001);
    const digest = target.image({ layers: [layer, "two", "two"] });
    expect(await target.run([], env)).toMatchObject({ status: 0, stdout: "localhost/team/app:t_default\n" });

    const folder = join(target.folder, "loaded");
    mkdirSync(folder);
    execFileSync("tar", ["-xf", join(target.folder, "loaded.tar"), "-C", folder]);
    const json = (path: string) => JSON.parse(readFileSync(join(folder, path), "utf8"));
    const [index] = json("index.json").manifests;
    expect(index).toMatchObject({ digest, annotations: { "org.opencontainers.image.ref.name": "t_default" } });
    const [docker] = json("manifest.json");
    expect(docker.RepoTags).toEqual(["localhost/team/app:t_default"]);
    expect(readFileSync(join(folder, docker.Layers[0]))).toEqual(layer);
    for (const path of [docker.Config, ...docker.Layers, `blobs/${digest.replace(":", "/")}`]) {
      expect(existsSync(join(folder, path))).toBe(true);
    }
  });

  it("gives the engine that image of an index which is for this machine", async () => {
    const { target, env } = loadTarget();
    const own = ownPlatform().architecture;
    target.image({ tag: "s390x", layers: ["other"] });
    const digest = target.image({ tag: own, layers: ["own"] });
    target.index();
    expect(await target.run([], env)).toMatchObject({ status: 0, stdout: "localhost/team/app:t_default\n" });
    const index = execFileSync("tar", ["-xOf", join(target.folder, "loaded.tar"), "index.json"], { encoding: "utf8" });
    expect(JSON.parse(index).manifests).toMatchObject([{ digest }]);
  });

  it("refuses an index without an image for this machine", async () => {
    const { target, env } = loadTarget();
    target.image({ tag: "s390x", layers: ["x"] });
    target.index();
    const stderr = printed("image-unsuitable", /default .*linux\/s390x/);
    expect(await target.run([], env)).toMatchObject({ status: 2, stderr });
  });

  it("gives nothing to an engine that has the image, but the name", async () => {
    const { target, env, asked, known } = loadTarget();
    target.image({ layers: ["x"] });
    const { config } = JSON.parse(readFileSync(join(target.runfiles, "_main/pkg/default.manifest.json"), "utf8"));
    writeFileSync(join(known, config.digest), "");
    expect(await target.run([], env)).toEqual({ status: 0, stdout: "localhost/team/app:t_default\n", stderr: "" });
    expect(asked()).toEqual([`image inspect ${config.digest}`, `tag ${config.digest} localhost/team/app:t_default`]);
  });

  const layersIn = (target: Target) =>
    execFileSync("tar", ["-tf", join(target.folder, "loaded.tar")], { encoding: "utf8" }).match(/blobs\/sha256\/\w+/g);
  const blob = (content: string) => `blobs/${sha256(Buffer.from(content)).replace(":", "/")}`;

  it("gives podman only the layers that its images lack, and fetches no others", async () => {
    const { target, env, known } = loadTarget();
    const gone = { bytes: Buffer.from("of a base in a registry that does not answer") };
    const sources = [{ registry: "registry.invalid", repository: "base" }];
    target.image({ layers: [gone, "kept", "new"], sources });
    writeFileSync(join(known, "one"), `${sha256(gone.bytes)}\n`);
    writeFileSync(join(known, "other"), `${sha256(Buffer.from("kept"))}\n${sha256(Buffer.from("foreign"))}\n`);
    expect(await target.run([], env)).toMatchObject({ status: 0, stdout: "localhost/team/app:t_default\n" });
    const found = layersIn(target);
    // Manifest, configuration, and the one layer.
    expect(found).toHaveLength(3);
    expect(found).toContain(blob("new"));
  });

  it("gives podman all layers when it does not load an image without those that it seemed to have", async () => {
    const { target, env, known, asked } = loadTarget(
      (folder) => `mkdir '${folder}/once' && exit 125; cat >'${folder}/loaded.tar'`,
    );
    target.image({ layers: ["kept", "new"] });
    writeFileSync(join(known, "one"), `${sha256(Buffer.from("kept"))}\n`);
    expect(await target.run([], env)).toMatchObject({ status: 0, stdout: "localhost/team/app:t_default\n" });
    expect(asked().filter((words) => words === "load")).toHaveLength(2);
    expect(layersIn(target)).toEqual(expect.arrayContaining([blob("kept"), blob("new")]));
  });

  it("of an engine that is broken says what that said", async () => {
    const { target, env } = loadTarget(() => "echo 'Error: database is locked' >&2; exit 125");
    target.image({ layers: [randomBytes(1_000_000)] });
    const stderr = printed("program-failed", /podman .*Error: database is locked/);
    expect(await target.run([], env)).toEqual({ status: 1, stdout: "", stderr });
  });

  it("streams the layers of a base that is in a registry alone", async () => {
    await using registry = await FakeRegistry.start();
    const { target, env } = loadTarget();
    const bytes = randomBytes(200_000);
    const digest = registry.putBlob("base", bytes);
    target.image({ layers: [{ bytes }], sources: [{ registry: registry.host, repository: "base" }] });
    expect(await target.run([], env)).toMatchObject({ status: 0 });
    const tar = ["-xOf", join(target.folder, "loaded.tar"), `blobs/${digest.replace(":", "/")}`];
    expect(execFileSync("tar", tar)).toEqual(bytes);
  });

  it("of a layer that is missing ends the engine's reading, and is an error", async () => {
    const { target, env } = loadTarget();
    target.image({ layers: [{ bytes: Buffer.from("x") }] });
    const stderr = printed("target-invalid", /default .*sha256:/);
    expect(await target.run([], env)).toMatchObject({ status: 2, stderr });
  });

  it("needs an engine, and takes no arguments", async () => {
    const { target } = loadTarget();
    target.image({ layers: ["x"] });
    const none = await target.run([], { PATH: "/absent" });
    expect(none).toMatchObject({ status: 2, stderr: printed("engine-unavailable") });
    expect(await target.run(["x"])).toMatchObject({ status: 2, stderr: printed("command-line-invalid", " x.\n") });
  });

  it("tells what it does when asked for help, without an engine", async () => {
    const { target } = loadTarget();
    target.image({ layers: ["x"] });
    expect(await target.run(["--help"], { PATH: "/absent" })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Loads .*podman or docker[\s\S]*SLIPWAY_DRY_RUN/),
      stderr: "",
    });
  });

  it("only says what it would do in a dry run", async () => {
    const { target, env } = loadTarget();
    const digest = target.image({ layers: ["x"] });
    const { stdout } = await target.run([], { ...env, SLIPWAY_DRY_RUN: "1" });
    expect(stdout).toBe(`would load ${digest} into podman as localhost/team/app:t_default\n`);
    expect(existsSync(join(target.folder, "asked"))).toBe(false);
  });
});
