import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { runArguments } from "./arguments.ts";
import type { ContainerClient } from "./client.ts";
import { divideEnvironment } from "./environment.ts";
import { clientFailure } from "./failure.ts";
import { LastWords } from "./last-words.ts";
import { isFromLoopback } from "./loopback.ts";
import { processLimits } from "./process-limits.ts";
import { checkReach } from "./reach.ts";
import type { ContainerRun } from "./run-description.ts";
import { makeRunFolder } from "./run-folder.ts";
import { emptyRun } from "./testdata/evaluate.ts";

const docker = { name: "docker", path: "/usr/bin/docker" } as const;
const podman = { name: "podman", path: "/usr/bin/podman" } as const;

describe("divideEnvironment", () => {
  it("keeps what means something to the client out of its environment", () => {
    const env = { PATH: "/a", DOCKER_HOST: "x", HTTPS_PROXY: "p", LD_PRELOAD: "l", KEY: "-----\nabc\n" };
    expect(divideEnvironment(env)).toEqual({
      inherited: { KEY: "-----\nabc\n" },
      file: "PATH=/a\nDOCKER_HOST=x\nHTTPS_PROXY=p\nLD_PRELOAD=l\n",
    });
  });

  it.each([{ "A=B": "" }, { "": "" }, { "A B": "" }, { A: "\0" }, { PATH: "a\nB=c" }])("refuses %j by name", (env) => {
    expect(() => divideEnvironment(env)).toThrow(userErrorWith("variable-invalid", Object.keys(env)[0]));
  });
});

describe("LastWords", () => {
  it("loses and reorders nothing, however the output is cut", () => {
    const client = ["Error: a\n", "See 'docker'\n", 'time="1" level=error msg=c\n', "docker: d"];
    const line = fc.constantFrom(...client, "b\n", "\n", "e");
    fc.assert(
      fc.property(fc.array(line), fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const all = Buffer.from(lines.join(""));
        let passed = "";
        const words = new LastWords((data) => {
          passed += data;
        });
        for (let start = 0; start < all.length; start += size) words.write(all.subarray(start, start + size));
        words.flush();
        expect(passed).toBe(all.toString());
      }),
    );
  });

  it("holds back only the client's words at the end", () => {
    let passed = "";
    const words = new LastWords((data) => {
      passed += data;
    });
    words.write(Buffer.from("Error: the program's\n  at x\ndocker: Error response\nSee 'docker run --help'.\n"));
    expect(passed).toBe("Error: the program's\n  at x\n");
    expect(words.take()).toBe("docker: Error response\nSee 'docker run --help'.");
  });
});

describe("clientFailure", () => {
  const image = "registry.example/a:1";
  it.each<[words: string, code: ErrorCode, culprit: string, remedy: RegExp]>([
    [
      "reading manifest 1 in registry.example/a: manifest unknown",
      "image-pull-failed",
      image,
      /^Correct the image's name/,
    ],
    [
      "setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=0",
      "engine-unavailable",
      "podman",
      /^Remove `gpu`/,
    ],
    ["netavark: iptables: No such file or directory (os error 2)", "engine-unavailable", "podman", /iptables/],
  ])("of %s has a remedy", (words, code, culprit, remedy) => {
    const failure = clientFailure(podman, image, 125, words);
    expect(failure).toEqual(userErrorWith(code, culprit));
    expect(failure.remedy).toMatch(remedy);
  });
});

describe("isFromLoopback", () => {
  it.each(["localhost/a", "localhost:5000/a/b", "127.0.0.1:1/a", "[::1]:1/a"])("%s is", (image) => {
    expect(isFromLoopback(image)).toBe(true);
  });
  it.each(["ubuntu", "localhost.example/a", "128.0.0.1/a", "h.example/localhost:1"])("%s is not", (image) => {
    expect(isFromLoopback(image)).toBe(false);
  });
});

it("checkReach refuses a loopback registry for an engine elsewhere, by the name of what leads there", () => {
  const [near, far] = ["localhost:5000/a", "registry.example/a"];
  for (const [client, variable] of [
    [docker, "DOCKER_HOST"],
    [podman, "CONTAINER_HOST"],
  ] as const) {
    const check = () => checkReach(client, near, { [variable]: "ssh://far" });
    expect(check).toThrow(userErrorWith("image-pull-failed", near));
    expect(check).toThrow(`${variable}=ssh://far`);
  }
  checkReach(docker, far, { DOCKER_HOST: "ssh://far" });
  checkReach(podman, near, { CONTAINER_HOST: "unix:///run/podman.sock" });
});

it("processLimits reads hard limits, and asks for no more than engines do", () => {
  const file = join(mkdtempSync(join(tmpdir(), "limits-")), "limits");
  writeFileSync(
    file,
    "Max processes             10   4096   processes\nMax open files            1024    unlimited   files\n",
  );
  expect(processLimits(file)).toEqual({ files: 1048576, processes: 4096 });
  expect(processLimits("/nonexistent")).toBeUndefined();
});

describe("runArguments", () => {
  const image = "localhost:5000/tide:1";
  const limits = { files: 1, processes: 1 };

  function argumentsOf(client: ContainerClient, run: Partial<ContainerRun>, environment = ""): string[] {
    const folder = makeRunFolder(client, image, environment, {}, {});
    const settings = { name: "n", folder, inherited: ["A"], limits: client === docker ? limits : undefined };
    const args = runArguments(client, { ...emptyRun, image: image as RunnableImage, ...run }, settings);
    folder.remove();
    return args;
  }

  it("gives docker writable folders, limits, and the program's arguments last", () => {
    const run = { programArguments: ["--help", "--rm"], resources: { memory: 1024, cpu: 0.5 } };
    const args = argumentsOf(docker, run);
    expect(args.slice(-3)).toEqual([image, "--help", "--rm"]);
    const expected = ["--memory=1024b", "--cpus=0.5", "--env=A", "--read-only", "--cap-drop=all"];
    expect(args).toEqual(expect.arrayContaining(expected));
    const folders = args.flatMap((argument) => /^--tmpfs=([^:]+)/.exec(argument)?.[1] ?? []);
    expect(folders).toEqual(["/tmp", "/run", "/var/tmp", "/home/slipway"]);
    expect(args.some((argument) => argument.startsWith("--ulimit") || argument.startsWith("--tls-verify"))).toBe(false);
  });

  it("leaves a home folder that was asked for to the file of variables", () => {
    const homes = (env: ContainerRun["env"]) =>
      argumentsOf(podman, { env }, "HOME=/mine\n").filter((argument) => argument.startsWith("--env=HOME"));
    expect(homes({ HOME: "/mine" })).toEqual([]);
    expect(homes({})).toEqual(["--env=HOME=/home/slipway"]);
  });

  it("asks each client for graphics processors in its own way, and for none unless there are some", () => {
    const asked = (client: ContainerClient, gpu?: number) => {
      const args = argumentsOf(client, { resources: gpu === undefined ? {} : { gpu } });
      return args.filter((argument) => /^--(gpus|device)/.test(argument));
    };
    expect(asked(docker, 2)).toEqual(["--gpus=2"]);
    expect(asked(podman, 2)).toEqual(["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=1"]);
    for (const client of [docker, podman]) for (const none of [undefined, 0]) expect(asked(client, none)).toEqual([]);
  });
});

describe("makeRunFolder", () => {
  const login = { username: "token", password: "secret" };
  const auths = { "localhost:5000": { auth: btoa("token:secret") } };

  it("writes podman's login for this user alone, and removes it", () => {
    const { pullArguments, remove, variables } = makeRunFolder(podman, "localhost:5000/a", "", { login }, {});
    const [authFile = ""] = pullArguments.map((argument) => argument.replace("--authfile=", ""));
    expect(JSON.parse(readFileSync(authFile, "utf8"))).toEqual({ auths });
    expect(statSync(authFile).mode & 0o777).toBe(0o600);
    expect(variables).toEqual({});
    remove();
    expect(() => statSync(authFile)).toThrow("ENOENT");
  });

  it("writes docker's into a configuration that keeps the user's context", () => {
    const { variables, remove } = makeRunFolder(docker, "localhost:5000/a", "", { login }, { DOCKER_CONTEXT: "far" });
    const config = readFileSync(join(variables["DOCKER_CONFIG"] ?? "", "config.json"), "utf8");
    expect(JSON.parse(config)).toEqual({ auths, currentContext: "far" });
    remove();
  });
});
