import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest, git, repositoryOfTest } from "../git/testdata/git-repository.ts";
import { sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { openRegistry } from "../registry/client/open.ts";
import { manifestOf, pushBlob, pushImage, putManifest, serverOfTest } from "../registry-server/testdata/fixture.ts";
import { localCode } from "./code.ts";
import { diffLocks } from "./diff.ts";
import { deploymentOf, formatJobLock, isLockOf, parseJobLock } from "./lock.ts";
import { parseDeployment } from "./read.ts";
import { resolveDeployment } from "./resolve.ts";
import { imageOfTarget } from "./resolve-image.ts";
import type { JobLock } from "./schema.ts";

const protocols = ["https", "ssh", "file"] as const;

/** Resolves a deployment's text, with a registry where one is given. */
function resolver(server?: Awaited<ReturnType<typeof serverOfTest>>) {
  const home = folderOfTest();
  const options = {
    git: { protocols },
    env: { PATH: process.env["PATH"], HOME: home },
    openRegistry: async (name: string) => openRegistry(name, { embedded: { socketPath: server?.paths.socket ?? "" } }),
    imageOf: (target: Parameters<typeof imageOfTarget>[0]) => imageOfTarget(target, {}),
  };
  const resolve = (text: string, folder = home): Promise<JobLock> =>
    resolveDeployment(parseDeployment(text, "job.yaml", protocols), folder, options);
  return { resolve, options, home };
}

const readBack = (lock: JobLock) => parseJobLock(formatJobLock(lock), "job.lock.json", protocols);

describe("a tag", () => {
  const job = "interpreter: {ContainerAtTag: {repository: localhost:5000/team/app, tag: v1}}\ncommand: [x]\n";

  it("is resolved to what it names now; the lock stays with it when it moves", async () => {
    const server = await serverOfTest();
    const { resolve } = resolver(server);
    const first = await pushImage(server.ask, "team/app", "v1", ["one"]);
    const lock = await resolve(job);
    expect(lock.deployment.interpreter).toEqual({
      ContainerAtDigest: { repository: "localhost:5000/team/app", digest: first },
    });
    const second = await pushImage(server.ask, "team/app", "v1", ["two"]);
    const moved = await resolve(job);
    expect(diffLocks(lock, moved)).toEqual([
      {
        field: "interpreter.ContainerAtDigest.digest",
        before: JSON.stringify(first),
        after: JSON.stringify(second),
        because: "tag v1",
      },
    ]);
    expect(readBack(lock)).toEqual(lock);
  });

  it("that is not there is named beside those that are", async () => {
    const server = await serverOfTest();
    const { resolve } = resolver(server);
    await pushImage(server.ask, "team/app", "v10", ["one"]);
    await expect(resolve(job)).rejects.toThrow(userErrorWith("image-not-found", "localhost:5000/team/app:v1"));
    await expect(resolve(job)).rejects.toThrow("(did you mean the tag v10?)");
  });

  it("of an index is resolved to the image for the platform", async () => {
    const server = await serverOfTest();
    const { resolve } = resolver(server);
    const manifests = [];
    for (const [architecture, variant] of [["amd64"], ["arm", "v6"], ["arm", "v7"]]) {
      const digest = await pushImage(server.ask, "team/app", `${architecture}${variant}`, [
        `for ${architecture} ${variant}`,
      ]);
      const size = manifestOf([`for ${architecture} ${variant}`]).length;
      manifests.push({
        mediaType: mediaTypes.manifest,
        digest,
        size,
        platform: { os: "linux", architecture, ...(variant ? { variant } : {}) },
      });
    }
    const index = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    await server.ask("PUT", "/v2/team/app/manifests/v1", {
      body: index,
      headers: { "content-type": mediaTypes.index },
    });
    const lock = await resolve(`${job}platform: linux/amd64\n`);
    expect(lock.deployment.interpreter).toMatchObject({ ContainerAtDigest: { digest: manifests[0]?.digest } });
    for (const platform of ["linux/s390x", "linux/arm"])
      await expect(resolve(`${job}platform: ${platform}\n`)).rejects.toThrow(/linux\/arm\/v6, linux\/arm\/v7/);
  });

  it("of an image for another platform is refused", async () => {
    const server = await serverOfTest();
    const config = canonicalJson({ os: "linux", architecture: "s390x" });
    await pushBlob(server.ask, "team/app", config);
    await putManifest(
      server.ask,
      "team/app",
      "v1",
      Buffer.from(
        canonicalJson({
          schemaVersion: 2,
          mediaType: mediaTypes.manifest,
          config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
          layers: [],
        }),
      ),
    );
    await expect(resolver(server).resolve(`${job}platform: linux/amd64\n`)).rejects.toThrow(
      userErrorWith("image-unsuitable", "localhost:5000/team/app:v1"),
    );
  });
});

describe("a branch", () => {
  it("is resolved to its commit; the lock runs without the server when the branch moved and the commit vanished", async () => {
    const { resolve, options, home } = resolver();
    const repository = repositoryOfTest();
    const commit = repository.commit({ "src/a.py": "one" });
    const job = `interpreter: {ServerAvailableInterpreter: {interpreter_path: /usr/bin/python3}}\ncommand: [x]\ncode: {GitRepoBranch: {repo_url: "${repository.url}", path_to_source: src}}\n`;
    const lock = await resolve(job);
    expect(lock.deployment.code).toEqual({
      GitRepoCommit: { repo_url: repository.url, commit, path_to_source: "src" },
    });
    expect(isLockOf(lock, parseDeployment(job, "job.yaml", protocols))).toBe(true);
    expect(isLockOf(lock, parseDeployment(`${job}retries: 1\n`, "job.yaml", protocols))).toBe(false);
    const { folders } = await localCode(lock.deployment.code, home, options);

    git(repository.folder, "commit", "--quiet", "--amend", "--message", "Other");
    const moved = await resolve(job);
    expect(diffLocks(lock, moved)).toMatchObject([
      { field: "code.GitRepoCommit.commit", before: JSON.stringify(commit), because: "branch main" },
    ]);
    rmSync(repository.folder, { recursive: true });
    expect(await localCode(readBack(lock).deployment.code, home, options)).toMatchObject({ folders });
  });
});

describe("files of an environment", () => {
  const job = (kind: string) =>
    `interpreter: {${kind}}\ncommand: [x]\ncode: {ServerAvailableFolder: {code_paths: [code]}}\n`;
  const contentOf = (lock: JobLock) => (Object.values(lock.deployment.interpreter)[0] as { content: string }).content;

  it("are known by what they hold, those they take in included", async () => {
    const { resolve, home } = resolver();
    mkdirSync(join(home, "code/reqs"), { recursive: true });
    const write = (path: string, text: string) => writeFileSync(join(home, "code", path), text);
    write("requirements.txt", "-r reqs/base.txt\n--constraint=reqs/limits.txt # why\nsix==1.16.0\n");
    write("reqs/base.txt", "idna==3.7\n-r ../requirements.txt\n");
    write("reqs/limits.txt", "idna<4\n");
    const lock = await resolve(job("PipRequirements: {}"));
    expect(await resolve(job("PipRequirements: {}"))).toEqual(lock);
    write("reqs/limits.txt", "idna<5\n");
    const other = await resolve(job("PipRequirements: {}"));
    expect(contentOf(other)).not.toBe(contentOf(lock));
    expect(diffLocks(lock, other)).toMatchObject([{ because: "files of the environment" }]);
    expect(deploymentOf(readBack(lock)).interpreter).toEqual({ PipRequirements: { path: "requirements.txt" } });
    write("requirements.txt", "-r https://example.com/a.txt\n");
    await expect(resolve(job("PipRequirements: {}"))).rejects.toThrow(
      userErrorWith("code-invalid", "requirements.txt"),
    );
  });

  it("may move with their project, and must be there", async () => {
    const { resolve, home } = resolver();
    mkdirSync(join(home, "code/one"), { recursive: true });
    for (const name of ["pyproject.toml", "poetry.lock"]) writeFileSync(join(home, "code/one", name), name);
    const lock = await resolve(job("PoetryProject: {path: one, python: '3.12'}"));
    renameSync(join(home, "code/one"), join(home, "code/two"));
    expect(contentOf(await resolve(job("PoetryProject: {path: two}")))).toBe(contentOf(lock));
    rmSync(join(home, "code/two/poetry.lock"));
    await expect(resolve(job("PoetryProject: {path: two}"))).rejects.toThrow(
      userErrorWith("code-invalid", "two/poetry.lock"),
    );
    symlinkSync("/etc/passwd", join(home, "code/condaenv.yml"));
    await expect(resolve(job("CondaEnv: {}"))).rejects.toThrow(userErrorWith("code-invalid", "condaenv.yml"));
  });
});

describe("an image target", () => {
  const digest = sha256("image");
  const target = { target: "//train:main", tag: "default" };

  it("is the image that the launcher pushed", () => {
    const repository = "localhost:5000/train";
    const found = { repository, digest };
    expect(
      imageOfTarget(target, {
        SLIPWAY_CONTAINER_IMAGE_URIS: `cuda##a.io/x@${digest}::default##${repository}@${digest}`,
      }),
    ).toEqual(found);
    expect(imageOfTarget(target, { SLIPWAY_CONTAINER_IMAGE: `${repository}@${digest}` })).toEqual(found);
    expect(
      imageOfTarget(target, {
        SLIPWAY_CONTAINER_IMAGE_URIS: `cuda##[::1]:5000/x@${digest}::default##[::1]:5000/y@${digest}`,
      }),
    ).toEqual({ repository: "[::1]:5000/y", digest });
  });

  it("must have been pushed", () => {
    expect(() => imageOfTarget(target, {})).toThrow(userErrorWith("image-not-found", "//train:main"));
    expect(() => imageOfTarget(target, {})).toThrow(
      "Run `bazel run //train:main_push` and set SLIPWAY_CONTAINER_IMAGE_URIS to default##",
    );
    expect(() => imageOfTarget(target, { SLIPWAY_CONTAINER_IMAGE: "a.io/x:v1" })).toThrow(
      userErrorWith("image-unpinned", "a.io/x:v1"),
    );
  });
});

describe("a lock", () => {
  const lock: JobLock = {
    version: 1,
    deployment: {
      interpreter: { ContainerAtDigest: { repository: "a.io/b", digest: sha256("b") } },
      command: ["x"],
      environment: { B: "secret-1", A: "2" },
      resources: {},
      retries: 0,
    },
    source: {},
  };

  it("is the same bytes however it was put together", () => {
    const { environment, ...rest } = lock.deployment;
    const other = {
      source: {},
      deployment: { environment: { A: environment["A"] ?? "", B: environment["B"] ?? "" }, ...rest },
      version: 1,
    } as const;
    expect(formatJobLock(other)).toBe(formatJobLock(lock));
  });

  it("has nothing in it that would have to be asked", () => {
    const text = formatJobLock(lock).replace("ContainerAtDigest", "ContainerAtTag");
    expect(() => parseJobLock(text, "job.lock.json")).toThrow(userErrorWith("field-invalid", "job.lock.json:11:7"));
    const versioned = formatJobLock(lock).replace('"version": 1', '"version": 2');
    expect(() => parseJobLock(versioned, "job.lock.json")).toThrow(userErrorWith("field-invalid", /^job\.lock\.json:/));
  });

  it("that differs in a variable does not show its value", () => {
    const other = { ...lock, deployment: { ...lock.deployment, environment: { B: "secret-2", C: "3" } } };
    const changes = diffLocks(lock, other);
    expect(changes.map(({ field }) => field)).toEqual(["environment.A", "environment.B", "environment.C"]);
    expect(JSON.stringify(changes)).not.toContain("secret");
  });
});
