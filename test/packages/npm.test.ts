import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { built, emptyFolder, output, run } from "./built.ts";

const cwd = emptyFolder();
const bin = (name: string) => join(cwd, "node_modules/.bin", name);
const uris = "default##localhost:5000/a@sha256:1::slim##localhost:5000/a@sha256:2";

beforeAll(() => {
  writeFileSync(join(cwd, "package.json"), '{ "name": "user", "private": true, "type": "module" }\n');
  // By the name that programs import, as `npm install slipway@npm:bazel-slipway` does.
  const spec = `slipway@file:${built("npm/bazel-slipway-*.tgz")}`;
  output(["npm", "install", "--offline", "--no-audit", "--no-fund", spec], { cwd });
});

/** Puts a module beside node_modules. */
function write(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return name;
}

describe("the npm package, installed into an empty folder", () => {
  it("needs no other package", () => {
    const lock = JSON.parse(readFileSync(join(cwd, "package-lock.json"), "utf8")) as { packages: object };
    expect(Object.keys(lock.packages)).toEqual(["", "node_modules/slipway"]);
  });

  it("has the command line, with the package's version", () => {
    const { version } = JSON.parse(readFileSync(join(cwd, "node_modules/slipway/package.json"), "utf8")) as {
      version: string;
    };
    expect(output([bin("slipway"), "--version"], { cwd })).toBe(`${version}\n`);
    expect(run([bin("slipway"), "nonsense"], { cwd }).status).toBe(2);
  });

  it("makes a repository, from the release that it is told of until it knows one", () => {
    expect(run([bin("bazel-slipway"), "init", "app"], { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--from"),
    });
    const from = `https://example.com/slipway.git#${"0123456789".repeat(4)}`;
    expect(output([bin("slipway"), "init", "app", "--from", from], { cwd })).toContain("tools/bazel run //:main\n");
    expect(readFileSync(join(cwd, "app/MODULE.bazel"), "utf8")).toContain("git_override(");
    // Once the package knows where the release is.
    const file = join(cwd, "node_modules/slipway/package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    expect(manifest.slipway).toEqual({
      integrity: expect.stringMatching(/^sha256-.{43}=$/),
      strip_prefix: `slipway-${manifest.version}`,
    });
    const url = "https://example.com/slipway.tar.gz";
    writeFileSync(file, JSON.stringify({ ...manifest, slipway: { ...manifest.slipway, url } }));
    output([bin("slipway"), "init", "app2"], { cwd });
    const module = readFileSync(join(cwd, "app2/MODULE.bazel"), "utf8");
    expect(module).toContain(`urls = ["${url}"]`);
    expect(module).toContain(`integrity = "${manifest.slipway.integrity}"`);
  });

  it("has the credential helpers", () => {
    expect(output([bin("docker-credential-slipway"), "list"], { cwd })).toMatch(/^\{.*\}\s*$/);
    expect(output([bin("git-credential-slipway"), "erase"], { cwd })).toBe("");
    for (const name of ["bazel-credential-slipway", "git-ssh-slipway"]) {
      expect(run([bin(name), "nonsense"], { cwd }).stderr, name).not.toMatch(/Cannot find|ERR_MODULE/);
    }
  });

  it("installs executables that need no npm", () => {
    output([bin("slipway"), "install", "programs"], { cwd });
    expect(output([join(cwd, "programs/slipway"), "--version"], { cwd, env: { PATH: "/usr/bin:/bin" } })).toMatch(
      /^\d/,
    );
  });

  it("tells a program its images", () => {
    const program = write(
      "images.js",
      `import { containerImage, hasContainerImage } from "slipway";
       console.log(hasContainerImage(), hasContainerImage("slim") && containerImage("slim"));`,
    );
    expect(output(["node", program], { cwd })).toBe("false false\n");
    expect(output(["node", program], { cwd, env: { SLIPWAY_CONTAINER_IMAGE_URIS: uris } })).toBe(
      "true localhost:5000/a@sha256:2\n",
    );
  });

  it("runs a function of a program that no pipeline started in its process", () => {
    const program = write(
      "function.ts",
      `import { inImage, main } from "slipway";
       const pid = inImage("pid", (offset: number) => process.pid + offset);
       await main(async () => { console.log(typeof (await pid(1)), (await pid(0)) !== process.pid); });`,
    );
    expect(output(["node", program], { cwd, env: { SLIPWAY_ENGINE: "process" } })).toBe("number false\n");
  });
});

describe.each(["nodenext", "bundler"])("its types, with module resolution %s and no others", (resolution) => {
  const flags = ["--noEmit", "--strict", "--target", "es2024", "--lib", "es2024", "--types", "", "--ignoreConfig"];
  const module = ["--module", resolution === "bundler" ? "esnext" : resolution, "--moduleResolution", resolution];
  const check = (name: string, text: string) =>
    run(["node", resolve("node_modules/typescript/bin/tsc"), ...flags, ...module, write(name, text)], { cwd });

  it("accept a program that uses everything", () => {
    const { status, stdout } = check(
      "good.ts",
      `import { containerImage, dataFile, type Deployment, hasContainerImage, type InImageOptions, inImage, JobError, type Json, main, RemoteError, runJob } from "slipway";
       const interpreter = { ContainerAtTag: { repository: "example.com/python" } };
       const job: Deployment = { interpreter, code: { ServerAvailableFolder: { code_paths: ["."] } }, function: "a:b" };
       export const result: Promise<Json> = runJob(job, { engine: "container" }).catch((error) => error instanceof JobError ? error.status : null);
       const options: InImageOptions = { tag: "slim", network: "none", env: { A: "b" } };
       const add = inImage("add", async (a: number, b: number) => a + b, options);
       const sum: Promise<number> = add(1, 2);
       const json: Json = [null, true, { path: dataFile("a/b.csv") }];
       const text: string = hasContainerImage() ? containerImage("slim") : "none";
       await main(async () => {
         try { await sum; } catch (error) { if (error instanceof RemoteError) error.message satisfies string; }
       });
       export { json, text };`,
    );
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  it("refuse one that does not", () => {
    const { status, stdout } = check(
      "bad.ts",
      `import { containerImage, inImage } from "slipway";
       containerImage(1);
       inImage("at", (when: Map<string, number>) => when.size);
       export const sum: number = inImage("add", (a: number) => a)(1);`,
    );
    expect(stdout.match(/^bad\.ts\(\d+/gm)).toEqual(["bad.ts(2", "bad.ts(3", "bad.ts(4"]);
    expect(status).not.toBe(0);
  });
});
