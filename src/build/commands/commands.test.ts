import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../core/errors.ts";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { sha256 } from "../../oci/digest.ts";
import { runCommand } from "../commands.ts";

let folder: string;
const run = (args: readonly string[]) => runCommand(args, { folder, signal: new AbortController().signal });
const read = (name: string) => readFileSync(join(folder, name));
const json = (name: string) => JSON.parse(read(name).toString());

const spec = { os: "linux", architecture: "amd64", entrypoint: ["/app/x"], env: { A: "b" } };
const image = ["--descriptor=d.json", "--manifest=m.json", "--config=c.json"];
const onBase = ["--base-manifest=bm.json", "--base-config=bc.json"];
const blobs = ["base", "app"].map((name) => JSON.stringify(["blob", `${name}.json`, `${name}.tar.gz`]));

beforeEach(async () => {
  folder = temporaryFolder();
  for (const name of ["base", "app"]) {
    writeFileSync(join(folder, `${name}.txt`), name);
    const file = JSON.stringify(["file", `${name}.txt`, `${name}.txt`]);
    await run([
      "layer",
      `--output=${name}.tar.gz`,
      `--metadata=${name}.json`,
      `--packages=${name}.packages.json`,
      "--compression=gzip",
      file,
    ]);
    chmodSync(join(folder, `${name}.tar.gz`), 0o555);
  }
  const base = ["--manifest=bm.json", "--config=bc.json", "--descriptor=bd.json"];
  await run(["manifest", ...base, "--layer=base.json", `--spec=${JSON.stringify(spec)}`]);
  await run(["manifest", ...image, ...onBase, "--layer=app.json", "--spec={}"]);
});

describe("manifest", () => {
  it("puts our layers on top of the base's and names what it wrote", () => {
    const layers = [json("base.json"), json("app.json")];
    expect(json("m.json").layers.map(({ digest }: { digest: string }) => digest)).toEqual(
      layers.map(({ digest }) => digest),
    );
    expect(json("c.json").rootfs.diff_ids).toEqual(layers.map(({ diffId }) => diffId));
    expect(json("c.json").config).toMatchObject({ Entrypoint: ["/app/x"], Env: ["A=b"] });
    expect(json("m.json").config.digest).toBe(sha256(read("c.json")));
    expect(json("d.json")).toEqual({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: sha256(read("m.json")),
      size: read("m.json").length,
      platform: { os: "linux", architecture: "amd64" },
    });
  });

  it.each([
    [[...onBase, '--spec={"architecture":"arm64"}'], "image-unsuitable", "the base image (bm.json)"],
    [["--base-manifest=bm.json", "--spec={}"], "command-line-invalid", "--base-config"],
    [[...onBase, '--spec={"colour":"red"}'], "command-line-invalid", "colour"],
    [[...onBase, '--spec={"cmd":"x"}'], "command-line-invalid", "cmd"],
    [[...onBase, '--spec={"epoch":-1}'], "command-line-invalid", "epoch"],
    [[...onBase, '--spec={"epoch":253402300800}'], "command-line-invalid", "epoch"],
    [[...onBase, "--spec={}", "--layer=no.json"], "file-unreadable", /no\.json$/],
  ] as const)("refuses %j, and writes nothing", async (args, code, culprit) => {
    const before = readdirSync(folder);
    const outputs = ["--manifest=x.json", "--config=y.json", "--descriptor=z.json"];
    await expect(run(["manifest", ...outputs, ...args])).rejects.toThrow(userErrorWith(code, culprit));
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("epoch", () => {
  it("is the creation time of the image", async () => {
    await run(["manifest", ...image, "--layer=app.json", `--spec=${JSON.stringify({ ...spec, epoch: 1 })}`]);
    expect(json("c.json").created).toBe("1970-01-01T00:00:01Z");
  });
});

describe("labels and annotations", () => {
  it("come from the specification and from files, with the build status in a stamped build", async () => {
    writeFileSync(join(folder, "labels"), "a=file\nb={STABLE_COMMIT}\n");
    writeFileSync(join(folder, "status"), "STABLE_COMMIT 0a1b\n");
    const own = { ...spec, labels: { a: "spec" }, annotations: { c: "{STABLE_COMMIT}", d: "e" } };
    const args = ["manifest", ...image, "--layer=app.json", "--labels=labels", `--spec=${JSON.stringify(own)}`];
    await run(args);
    const found = () => [json("c.json").config.Labels, json("m.json").annotations, json("m.json").layers];
    const { layers } = json("m.json");
    expect(found()).toEqual([{ a: "spec" }, { d: "e" }, layers]);
    await run([...args, "--status=status"]);
    // Layers are the same.
    expect(found()).toEqual([{ a: "spec", b: "0a1b" }, { c: "0a1b", d: "e" }, layers]);
  });
});

describe("index", () => {
  beforeEach(async () => {
    const outputs = ["--manifest=am.json", "--config=ac.json", "--descriptor=ad.json"];
    const arm64 = JSON.stringify({ ...spec, architecture: "arm64" });
    await run(["manifest", ...outputs, "--layer=app.json", `--spec=${arm64}`]);
    await run(["index", "--index=i.json", "--descriptor=id.json", "--image=d.json", "--image=ad.json"]);
  });

  it("names the images with their platforms, in the order given", () => {
    const { mediaType, manifests } = json("i.json");
    expect(mediaType).toBe("application/vnd.oci.image.index.v1+json");
    expect(manifests).toEqual([json("d.json"), json("ad.json")]);
    expect(json("id.json")).toEqual({ mediaType, digest: sha256(read("i.json")), size: read("i.json").length });
  });

  it("refuses a platform that comes twice", async () => {
    const args = ["index", "--index=x.json", "--descriptor=y.json", "--image=d.json", "--image=bd.json"];
    await expect(run(args)).rejects.toThrow(userErrorWith("image-unsuitable", "bd.json"));
  });

  const layout = ["layout", "--output=out", "--descriptor=id.json", "--index=i.json", ...blobs];

  it("becomes a layout with everything of all its images, each blob once", async () => {
    await run([...layout, "--manifest=m.json", "--config=c.json", "--manifest=am.json", "--config=ac.json"]);
    expect(json("out/index.json").manifests).toEqual([json("id.json")]);
    const expected = ["i.json", "m.json", "c.json", "am.json", "ac.json", "base.tar.gz", "app.tar.gz"];
    const found = readdirSync(join(folder, "out/blobs/sha256"));
    expect(found.map((hex) => `sha256:${hex}`).sort()).toEqual(expected.map((name) => sha256(read(name))).sort());
  });

  it("is no layout without all of its images, or with others", async () => {
    await expect(run([...layout, "--manifest=m.json", "--config=c.json"])).rejects.toThrow(
      userErrorWith("command-line-invalid", "i.json"),
    );
    const swapped = ["--manifest=am.json", "--config=ac.json", "--manifest=m.json", "--config=c.json"];
    await expect(run([...layout, ...swapped])).rejects.toThrow(userErrorWith("image-invalid", "am.json"));
  });
});

describe("digest", () => {
  it("writes the digest and a line end", async () => {
    await run(["digest", "--output=digest", "--descriptor=d.json"]);
    expect(read("digest").toString()).toBe(`${sha256(read("m.json"))}\n`);
  });
});

describe("layout", () => {
  it("has every blob as a regular file that its owner may replace, and an index that names the platform", async () => {
    mkdirSync(join(folder, "out"));
    await run(["layout", "--output=out", ...image, ...blobs]);
    expect(json("out/oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
    expect(json("out/index.json")).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [json("d.json")],
    });
    const expected = ["m.json", "c.json", "base.tar.gz", "app.tar.gz"];
    const found = readdirSync(join(folder, "out/blobs/sha256"));
    expect(found.map((hex) => `sha256:${hex}`).sort()).toEqual(expected.map((name) => sha256(read(name))).sort());
    for (const hex of found) {
      const path = `out/blobs/sha256/${hex}`;
      expect(sha256(read(path))).toBe(`sha256:${hex}`);
      const status = lstatSync(join(folder, path));
      expect([status.isFile(), status.mode & 0o777, status.nlink]).toEqual([true, 0o644, 1]);
    }
  });

  it("takes the place of a layout that was there", async () => {
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "out/stale"), "");
    await run(["layout", "--output=out", ...image, ...blobs]);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  it("refuses what is no complete image, and leaves nothing", async () => {
    const before = readdirSync(folder);
    const refused = (args: readonly string[]) => expect(run(["layout", "--output=out", ...args])).rejects;
    await refused([...image, ...blobs.slice(1)]).toThrow(userErrorWith("image-unsuitable", "m.json"));
    const otherDescriptor = ["--descriptor=bd.json", ...image.slice(1)];
    await refused([...otherDescriptor, ...blobs]).toThrow(userErrorWith("image-invalid", "m.json"));
    const otherConfig = [...image.slice(0, 2), "--config=bc.json"];
    await refused([...otherConfig, ...blobs]).toThrow(userErrorWith("image-invalid", "bc.json"));
    expect(readdirSync(folder)).toEqual(before);
    writeFileSync(join(folder, "short.tar.gz"), "");
    const short = '["blob","base.json","short.tar.gz"]';
    await refused([...image, short, ...blobs.slice(1)]).toThrow(failureWith("image-invalid", "short.tar.gz"));
  });
});

describe("import", () => {
  const outputs = ["--manifest=im.json", "--config=ic.json", "--descriptor=id.json"];
  const blob = (digest: string) => `in/blobs/sha256/${digest.split(":")[1]}`;
  function store(document: unknown): { readonly digest: string; readonly size: number } {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = sha256(bytes);
    mkdirSync(join(folder, "in/blobs/sha256"), { recursive: true });
    writeFileSync(join(folder, blob(digest)), bytes);
    return { digest, size: bytes.length };
  }
  const imported = (...manifests: readonly object[]) => {
    writeFileSync(join(folder, "in/index.json"), JSON.stringify({ manifests }));
    return run(["import", "--layout=in", "--platform=linux/amd64", ...outputs]);
  };
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const indexType = "application/vnd.oci.image.index.v1+json";
  const configType = "application/vnd.oci.image.config.v1+json";
  function storeImage(config: object = store(json("c.json"))) {
    const document = { schemaVersion: 2, mediaType: manifestType, config: { mediaType: configType, ...config } };
    return { mediaType: manifestType, ...store({ ...document, layers: [] }) };
  }

  it.each(["sha256:../../../etc/passwd", `sha256:${"../".repeat(21)}a`, "../x:a", ""])(
    "refuses %j for the digest of a manifest or a configuration",
    async (digest) => {
      const { mediaType, size } = storeImage();
      await expect(imported({ mediaType, size, digest })).rejects.toThrow(UserError);
      await expect(imported(storeImage({ digest, size: 1 }))).rejects.toThrow(UserError);
      expect(readdirSync(folder)).not.toContain("im.json");
    },
  );

  it("refuses a blob that is a link to another file", async () => {
    const config = store(json("c.json"));
    rmSync(join(folder, blob(config.digest)));
    symlinkSync("/etc/passwd", join(folder, blob(config.digest)));
    await expect(imported(storeImage(config))).rejects.toThrow(userErrorWith("image-invalid", blob(config.digest)));
  });

  it("reads no document that is larger than any of its kind", async () => {
    const made = storeImage();
    const config = store(json("c.json")).digest;
    for (const digest of [config, made.digest]) {
      // A file of holes.
      truncateSync(join(folder, blob(digest)), 2 ** 32);
      await expect(imported(made)).rejects.toThrow(userErrorWith("image-invalid", blob(digest)));
    }
    truncateSync(join(folder, "in/index.json"), 2 ** 32);
    const again = run(["import", "--layout=in", ...outputs]);
    await expect(again).rejects.toThrow(userErrorWith("image-invalid", "in/index.json"));
  });

  it("follows one index, and no index in it", async () => {
    const index = (...manifests: readonly object[]) => ({
      mediaType: indexType,
      ...store({ schemaVersion: 2, mediaType: indexType, manifests }),
    });
    await imported(index(storeImage()));
    expect(read("ic.json")).toEqual(read("c.json"));
    await imported(index(index(storeImage())));
    expect(read("ic.json").length).toBe(0);
  });
});

describe("tarball", () => {
  it("is an OCI layout and a docker archive of the same blobs", async () => {
    await run(["tarball", "--output=out.tar", "--tag=examples/x:v1", ...image, ...blobs]);
    const unpacked = join(folder, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xf", join(folder, "out.tar"), "-C", unpacked]);
    const path = (digest: string) => `blobs/sha256/${digest.slice(7)}`;
    const layers = [json("base.json").digest, json("app.json").digest];
    expect(json("unpacked/manifest.json")).toEqual([
      { Config: path(sha256(read("c.json"))), RepoTags: ["examples/x:v1"], Layers: layers.map(path) },
    ]);
    expect(json("unpacked/index.json").manifests).toEqual([
      {
        ...json("d.json"),
        annotations: {
          "io.containerd.image.name": "docker.io/examples/x:v1",
          "org.opencontainers.image.ref.name": "v1",
        },
      },
    ]);
    for (const digest of [...layers, sha256(read("c.json")), sha256(read("m.json"))]) {
      expect(sha256(read(`unpacked/${path(digest)}`))).toBe(digest);
    }
  });

  it("refuses a name without a tag", async () => {
    await expect(run(["tarball", "--output=out.tar", "--tag=examples/x", ...image, ...blobs])).rejects.toThrow(
      userErrorWith("command-line-invalid", "--tag"),
    );
    expect(readdirSync(folder)).not.toContain("out.tar");
  });
});
