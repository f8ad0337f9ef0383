import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { executable } from "../core/testdata/executable.ts";
import { describeFunctions, run } from "./testdata/functions.ts";

describeFunctions({ env: {}, where: "a process of this machine" });

describe("a program without an image", () => {
  it("says so when containers are asked for", async () => {
    const { err, status } = await run("add", { SLIPWAY_ENGINE: "container" });
    expect(err).toMatch(/^SLIPWAY_ENGINE=container: .*\[engine-unavailable\]$/ms);
    expect(status).toBe(2);
  });

  it("runs no function on an engine that does not exist", async () => {
    const { out, err, status } = await run("add", { SLIPWAY_ENGINE: "kubernets" });
    expect(err).toMatch(/did you mean kubernetes\?.*\[variable-invalid\]$/ms);
    expect({ out, status }).toEqual({ out: "loading\n", status: 2 });
  });
});

describe("a function whose variable names a secret", () => {
  const home = mkdtempSync(join(tmpdir(), "secrets-"));
  const folder = join(home, "slipway/secrets");
  const env = { XDG_STATE_HOME: home };

  it("is not called where the secret is missing", async () => {
    const { err, status } = await run("secret", env);
    expect(err).toContain(`Variable PASSWORD names the secret db-password, which does not exist in ${folder}.`);
    expect(err).toMatch(/\[secret-not-found\]$/m);
    expect(status).toBe(2);
  });

  it("has its value in a process", async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "db-password"), "hunter2");
    expect((await run("secret", env)).result).toBe(7);
  });

  it("has its value in a container, whose command line has only the variable's name", async () => {
    const podman = executable(
      "podman",
      '#!/bin/sh\necho "$*" > "$0.args"\nprintf %s "$PASSWORD" > "$0.given"\nexit 3\n',
    );
    const container = {
      SLIPWAY_ENGINE: "container",
      SLIPWAY_CONTAINER_IMAGE: "r.io/a:1",
      CONTAINER_HOST: "unix:///none",
    };
    const { out, err } = await run("secret", { ...env, ...container, PATH: `${dirname(podman)}:/usr/bin:/bin` });
    expect(readFileSync(`${podman}.given`, "utf8")).toBe("hunter2");
    const written = out + err + readFileSync(`${podman}.args`, "utf8");
    expect(written).toContain("--env=PASSWORD ");
    expect(written).not.toContain("hunter2");
  });
});

describe("a function that may be tried again", () => {
  const marks = () => join(mkdtempSync(join(tmpdir(), "marks-")), "marks");

  it("gives the result of the attempt that succeeds, and says what failed", async () => {
    const { result, err } = await run("third", { MARKS: marks() });
    expect(result).toBe(3);
    for (const attempt of [1, 2]) {
      expect(err).toContain(`slipway: third: attempt ${attempt} of 3 failed; trying again\n`);
    }
  });

  it("fails with the last error where a map gives it fewer attempts", async () => {
    const { err, status } = await run("mapThird", { MARKS: marks() });
    expect(err.match(/trying again/g)).toHaveLength(1);
    expect(err).toContain("TideError: not yet");
    expect(status).toBe(1);
  });

  it("is ended at its time limit, each time", async () => {
    const { err, status } = await run("slow", {});
    expect(err).toContain("slipway: slow: attempt 1 of 2 failed; trying again\n");
    expect(err).toContain('"slow" failed in a process of this machine: It took longer than its time limit of 1 s.');
    expect(status).toBe(1);
  });
});

it("a helper that answers in another form fails the calls", async () => {
  const helper = executable("helper", `#!${process.execPath}\nconsole.log('{"done":{"requests":0}}')`);
  const { err, status } = await run("mapByName", { SLIPWAY_ENGINE_HELPER: helper });
  expect(err).toMatch(/\[program-failed\]$/m);
  expect(status).toBe(1);
});

it("a program that its pipeline did not start runs functions itself, and says so once", async () => {
  const { err, out, status } = await run("outerAlone", { SLIPWAY_ENGINE_HELPER: "" });
  expect(out).toBe('loading\n"three"\n');
  expect(err.match(/^slipway: functions run in this process/gm)).toHaveLength(1);
  expect(status).toBe(0);
  const container = { SLIPWAY_ENGINE: "kubernetes", SLIPWAY_CONTAINER_IMAGE: "r.io/a:1" };
  expect((await run("outerAlone", { ...container, SLIPWAY_ENGINE_HELPER: "" })).err).toMatch(/\[started-by-hand\]$/m);
});

it("a function that is killed names the limit that it had", async () => {
  const podman = executable("podman", "#!/bin/sh\nexit 137\n");
  const env = { SLIPWAY_ENGINE: "container", SLIPWAY_CONTAINER_IMAGE: "r.io/a:1", CONTAINER_HOST: "unix:///none" };
  const { err } = await run("mapLimited", { ...env, PATH: `${dirname(podman)}:/usr/bin:/bin` });
  expect(err).toContain(
    "It was killed, most often because it used more than its `resources.memory` of 1073741824 bytes.",
  );
});

describe("a function with an instance type", () => {
  it("has its limits in a container, and is refused where there is none", async () => {
    const podman = executable("podman", '#!/bin/sh\necho "$*" >> "$0.args"\nexit 137\n');
    const config = mkdtempSync(join(tmpdir(), "config-"));
    mkdirSync(join(config, "slipway"));
    writeFileSync(join(config, "slipway/config.yaml"), "instanceTypes: {big: {cpu: 4, memory: 4096}}\n");
    const env = {
      SLIPWAY_ENGINE: "container",
      SLIPWAY_CONTAINER_IMAGE: "r.io/a:1",
      CONTAINER_HOST: "unix:///none",
      XDG_CONFIG_HOME: config,
      PATH: `${dirname(podman)}:/usr/bin:/bin`,
    };
    const { err } = await run("mapTyped", env);
    expect(err).toContain("used more than its `resources.memory` of 4096 bytes");
    expect(readFileSync(`${podman}.args`, "utf8")).toMatch(/ --memory=4096b --cpus=1 /);
    const refused = await run("mapTyped", { ...env, XDG_CONFIG_HOME: "/nonexistent" });
    expect(refused.err).toMatch(/^"square": resources.instanceType .*\[value-invalid\]$/ms);
    expect(refused.status).toBe(2);
  });

  it("runs in a process, which nothing limits", async () => {
    expect((await run("mapTyped", {})).result).toEqual([1, 4, 9]);
  });
});

it("an error at the top of a module is printed like others, without the program's source", async () => {
  const { err, status } = await run("unknownOption", {});
  expect(err).toMatch(/^"wrong": netwrok is not an option \(did you mean network\?\)\.\n.*\[value-invalid\]\n$/);
  expect(status).toBe(2);
});
