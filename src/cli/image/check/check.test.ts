import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { printed } from "../../../core/testdata/reported.ts";
import { FakeRegistry } from "../../../registry/client/testdata/fake-registry.ts";
import { stateOfTest } from "../../../registry-server/testdata/fixture.ts";
import { run as runSlipway } from "../../testdata/slipway.ts";
import { fetchImage, openImage } from "../named-image.ts";
import { CheckedImage } from "./image.ts";
import { checkRequirements, type Outcome } from "./requirement.ts";
import { sematicRequirements } from "./sematic.ts";
import { slipwayRequirements } from "./slipway.ts";
import { elf, file, folder, hardlink, link, MadeImage, python, tarOf, whiteout } from "./testdata/made-image.ts";

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});
afterEach(() => registry.stop());

type Use = "slipway" | "sematic";

async function check(made: MadeImage, use: Use, modules: readonly string[] = []): Promise<Outcome[]> {
  const image = await openImage(made.push(registry));
  try {
    const checked = await CheckedImage.read(image, await fetchImage(image));
    return await checkRequirements(checked, use === "sematic" ? sematicRequirements(modules) : slipwayRequirements);
  } finally {
    image.client.close();
  }
}

/** What is wrong, as `REQUIREMENT WHERE: PROBLEM`. */
const failures = (outcomes: readonly Outcome[]) =>
  outcomes.flatMap((outcome) => {
    if (outcome.status !== "failed") return [];
    const { requirement, where, problem } = outcome;
    return [`${requirement.id} ${where}: ${problem}`.replaceAll(/sha256:\w{64}/g, "DIGEST")];
  });
const image = () => new MadeImage();
const entry = (...lines: string[]) => file("entrypoint.sh", `${lines.join("\n")}\n`, 0o755);
const configured = (change: (config: MadeImage["config"]) => void) => {
  const made = image();
  change(made.config);
  return made;
};
const worker = "/usr/bin/python3 -m sematic.resolvers.worker";

describe("a good image", () => {
  it.each(["slipway", "sematic"] as const)("meets every requirement of %s", async (use) => {
    const outcomes = await check(image(), use, use === "sematic" ? ["team.pipeline"] : []);
    expect(failures(outcomes)).toEqual([]);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(use === "sematic" ? 7 : 10).fill("met"));
  });

  it.each<[string, Use, MadeImage]>([
    ["starts Python itself", "sematic", configured((config) => (config.Entrypoint = worker.split(" ")))],
    ["gives its script to a shell", "sematic", configured((config) => (config.Entrypoint = ["sh", "/entrypoint.sh"]))],
    [
      "has its code in a folder of PYTHONPATH",
      "sematic",
      image()
        .above(whiteout(`${python}/sematic`), file("opt/code/sematic/resolvers/worker.py", ""))
        .variable("PYTHONPATH", "/x:/opt/code"),
    ],
    [
      "changes into the folder with its code",
      "sematic",
      image().above(
        whiteout(`${python}/sematic`),
        file("opt/code/sematic/resolvers/worker.py", ""),
        entry("#!/usr/bin/env -S sh -e", "cd /opt/code", `${worker} "$@"`),
        file("usr/bin/env", elf(), 0o755),
      ),
    ],
    [
      "continues the line that starts Python",
      "sematic",
      image().with(entry("#!/bin/sh", "exec /usr/bin/python3 -u \\", "  -m sematic.resolvers.worker \\", '  "$@"')),
    ],
    [
      "starts Python by another program",
      "sematic",
      image().with(entry("#!/bin/sh", `[ -z "$A" ] || cd /; exec tini -- ${worker} "$@"`)),
    ],
    ["has a folder for its group", "sematic", image().above({ ...folder("sematic/bin", 0o775), gid: 50 })],
    [
      "has a user without a name and HOME",
      "slipway",
      configured((config) => (config.User = "1234:1234"))
        .above(folder("data", 0o755, 1234))
        .variable("HOME", "/data"),
    ],
    [
      "takes a file away and has it again",
      "slipway",
      image()
        .above(whiteout("usr/bin"))
        .above(file("usr/bin/dash", elf(), 0o755), link("usr/bin/sh", "dash")),
    ],
    [
      "replaces what is in a folder, in whatever order its layer says so",
      "slipway",
      image().above(file("usr/bin/dash", elf(), 0o755), link("usr/bin/sh", "dash"), file("usr/bin/.wh..wh..opq", "")),
    ],
    [
      "has its entrypoint as a hard link to a file of the same layer",
      "slipway",
      image().above(file("a", '#!/bin/sh\n"$@"\n', 0o755), hardlink("entrypoint.sh", "a")),
    ],
    [
      "writes through a link of its own layer",
      "slipway",
      image().above(link("etc2", "/etc"), file("etc2/passwd", "worker:x:1000:1000::/home/worker:/bin/sh\n")),
    ],
    ["has a static program", "slipway", image().with(file("entrypoint.sh", elf(62, "").fill(0, 120, 124), 0o755))],
    ["names folders as other tools do", "slipway", image().above(folder("./", 0o755), folder("opt/"))],
  ])("that %s passes", async (_, use, made) => {
    expect(failures(await check(made, use))).toEqual([]);
  });
});

describe("of a broken image, exactly what is broken is reported:", () => {
  it.each<[string, MadeImage]>([
    // The seven.
    ["code sematic/resolvers/worker.py: no layer has the module sematic", image().above(whiteout(`${python}/sematic`))],
    ["registry layers[1] DIGEST: the registry does not have this layer", Object.assign(image(), { absent: [1] })],
    ["entrypoint config.Entrypoint: it is not set", configured((config) => delete config.Entrypoint)],
    [
      "python /usr/bin/python3: the image has no /usr/bin/python3.11, to which /usr/bin/python3 is a link",
      image().above(whiteout("usr/bin/python3.11")),
    ],
    [
      "home /home/worker: user 1000 of the image may not write to it: its mode is 0755, its owner 0:0",
      image().above(folder("home/worker")),
    ],
    ["bin /sematic/bin: user 1000 of the image may not write", image().above(folder("sematic/bin", 0o555, 1000))],
    ["path config.Env PATH: it is /usr/bin:/bin", image().variable("PATH", "/usr/bin:/bin")],
    // Other ways to fail them.
    [
      "code /opt/sematic/resolvers/worker: Python does not look",
      image().above(whiteout(`${python}/sematic`), file("opt/sematic/resolvers/worker.py", "")),
    ],
    ["entrypoint /entrypoint.sh: it does not start sematic", image().with(entry("#!/bin/sh", `# ${worker} "$@"`))],
    [
      "entrypoint /entrypoint.sh:2: it does not pass its arguments on",
      image().with(entry("#!/bin/sh", `exec ${worker} $@`)),
    ],
    [
      "entrypoint /entrypoint.sh:3: it starts sematic.resolvers.worker, but not by",
      image().with(entry("#!/bin/sh", "", 'python3 -m sematic.resolvers.worker "$@"')),
    ],
    [
      "entrypoint /entrypoint.sh: its first line ends with a carriage return",
      image().with(entry("#!/bin/sh\r", `exec ${worker} "$@"\r`.slice(0, -1))),
    ],
    [
      "entrypoint /entrypoint.sh: its first line asks for python3 -u, and the image has no python3 -u in PATH",
      image().with(entry("#!/usr/bin/env python3 -u", `${worker} "$@"`), file("usr/bin/env", elf(), 0o755)),
    ],
    [
      "entrypoint /entrypoint.sh: it does not start sematic",
      image().with(entry("#!/bin/sh", `echo exec ${worker} '"$@"'`)),
    ],
    [
      "entrypoint /entrypoint.sh: it does not start sematic",
      image().with(entry("#!/bin/sh", "if false; then", `  exec ${worker} "$@"`, "fi")),
    ],
    [
      "entrypoint /entrypoint.sh: it does not start sematic",
      image().with(entry("#!/bin/sh", "exit 0", `exec ${worker} "$@"`)),
    ],
    [
      "entrypoint /entrypoint.sh:2: it does not pass its arguments on",
      image().with(entry("#!/bin/sh", "exec \\", `  ${worker} \\`, "  $@")),
    ],
    [
      "entrypoint /entrypoint.sh: user 1000 of the image may not execute it: its mode is 0644",
      image().above(file("entrypoint.sh", `#!/bin/sh\n${worker} "$@"\n`)),
    ],
    [
      "entrypoint /entrypoint.sh: its first line asks for /bin/bash, and the image has no /usr/bin/bash",
      image().with(entry("#!/bin/bash", `${worker} "$@"`)),
    ],
    [
      'entrypoint config.Entrypoint: it is ["/bin/sh","-c","x"], which is no script',
      configured((config) => (config.Entrypoint = ["/bin/sh", "-c", "x"])),
    ],
    [
      "entrypoint config.Entrypoint: it starts /gone, and the image has no /gone",
      configured((config) => (config.Entrypoint = ["/gone"])),
    ],
    [
      "python /usr/bin/python3.11: it is neither a program nor a script",
      image().above(file("usr/bin/python3.11", "text", 0o755)),
    ],
    [
      "python /usr/bin/python3.11: user 1000 of the image may not execute it",
      image().above(file("usr/bin/python3.11", elf(), 0o750)),
    ],
    [
      "python /usr/bin/python3.11: it needs the loader /lib/ld-musl.so, and the image has no /usr/lib/ld-musl.so",
      image().above(file("usr/bin/python3.11", elf(62, "/lib/ld-musl.so"), 0o755)),
    ],
    [
      "python /usr/bin/python3: /usr/bin/python3.11 has no standard library",
      image().above(whiteout("usr/lib/python3.11")),
    ],
    [
      "python /usr/bin/python3: the image has links at /usr/bin/python3 that lead in a circle",
      image().above(link("usr/bin/python3", "python3")),
    ],
    ["bin /sematic/bin: it is a file, not a folder", image().above(file("sematic/bin", ""))],
    ["bin /sematic/bin: user 1000 of the image may not write", image().above(folder("sematic", 0o700))],
    [
      "registry layers[0] DIGEST: it cannot be read: there is no tar header",
      Object.assign(image(), { blobs: [Buffer.from("no tar at all")] }),
    ],
  ])("sematic %s", async (problem, made) => {
    expect(failures(await check(made, "sematic", ["team.pipeline"]))).toEqual([expect.stringContaining(problem)]);
  });

  it("sematic code of the user's", async () => {
    const problem = expect.stringContaining("code team/other.py: no layer has the module team.other");
    expect(failures(await check(image(), "sematic", ["team.other"]))).toEqual([problem]);
  });

  it.each<[string, MadeImage]>([
    // The ten.
    ["registry layers[0] DIGEST: the registry does not have this layer", Object.assign(image(), { absent: [0] })],
    [
      "layers layers[1] DIGEST: its content is DIGEST, but rootfs.diff_ids[1] is DIGEST",
      Object.assign(image(), { diffIds: [undefined, `sha256:${"a".repeat(64)}`] }),
    ],
    [
      "platform os: the image is for freebsd/amd64",
      Object.assign(image().with(entry("#!/bin/interpreter"), file("bin/interpreter", "#!x", 0o755)), {
        platform: "freebsd/amd64",
      }),
    ],
    ["entrypoint config.Entrypoint: it is not set, so", configured((config) => (config.Entrypoint = []))],
    [
      "program /usr/bin/dash: it is a program for linux/arm64, but the image is for linux/amd64",
      image().above(file("usr/bin/dash", elf(183), 0o755)),
    ],
    [
      "user config.User: it is not set, which means root",
      configured((config) => delete config.User).above(folder("root")),
    ],
    [
      'home config.User: the image does not know user "nobody-knows", so it has no home',
      configured((config) => (config.User = "nobody-knows")),
    ],
    ["tmp /tmp: user 1000 of the image may not write to it: its mode is 01755", image().above(folder("tmp", 0o1755))],
    [
      "folder config.WorkingDir: it is /nowhere, and the image has no /nowhere",
      configured((config) => (config.WorkingDir = "/nowhere")),
    ],
    [
      "runfiles config.Env RUNFILES_DIR: it is /app/main.runfiles, and the image has no /app/main.runfiles",
      image().above(whiteout("app/main.runfiles")),
    ],
    // Other ways to fail them.
    [
      "layers layers[1] DIGEST: it cannot be read: the tar is cut short",
      Object.assign(image(), { blobs: [undefined, tarOf([file("x", "x".repeat(5000))]).subarray(0, 1500)] }),
    ],
    [
      `layers layers[2] DIGEST: it cannot be read: the path ${"d/".repeat(20)}… has more than 4096 bytes`,
      image().above(file(`${"d/".repeat(20_000)}x`, "")),
    ],
    [
      "layers layers[2] DIGEST: /x is a hard link to nothing/there, which is not there",
      image().above(hardlink("x", "nothing/there")),
    ],
    [
      "entrypoint config.Entrypoint: it starts main, and the image has no main in PATH (/sematic/bin:",
      configured((config) => (config.Entrypoint = ["main"])),
    ],
    [
      "entrypoint /entrypoint.sh: it is a directory, not a file",
      image().above(whiteout("entrypoint.sh")).above(folder("entrypoint.sh")),
    ],
    ["user config.User: it is root", configured((config) => (config.User = "root:team")).above(folder("root"))],
    ["home config.User: /etc/passwd has no user 77 and HOME is not set", configured((config) => (config.User = "77"))],
    ["home /gone: the image has no /gone", image().variable("HOME", "/gone")],
  ])("slipway %s", async (problem, made) => {
    expect(failures(await check(made, "slipway"))).toEqual([expect.stringContaining(problem)]);
  });
});

describe("slipway image check", () => {
  const run = async (...args: string[]) => runSlipway(["image", "check", ...args], await stateOfTest());

  it("prints what is met and what is not, with the fix, and ends with status 0 or 1", async () => {
    const good = await run(image().push(registry), "--for=sematic", "--module=team.pipeline");
    expect([good.status, good.error]).toEqual([0, ""]);
    expect(good.out).toMatch(/^localhost:\d+\/team\/app@sha256:\w{64} \(linux\/amd64\), for sematic\nok {10}code /);
    const bad = await run(image().above(folder("tmp", 0o755)).push(registry));
    expect(bad.status).toBe(1);
    expect(bad.out).toContain(
      "\nNOT MET     tmp         /tmp is a folder that it may write to.\n" +
        "            /tmp: user 1000 of the image may not write to it: its mode is 0755, its owner 0:0.\n" +
        "            Give it to that user when the image is built, as in: RUN mkdir -p /tmp && chown 1000 /tmp\n",
    );
  });

  it("says the same as JSON; of an incomplete image, nothing about what it did not see", async () => {
    const { out, status } = await run(Object.assign(image(), { absent: [1] }).push(registry), "--json");
    expect(status).toBe(1);
    const { met, platform, for: use, requirements } = JSON.parse(out);
    expect([met, platform, use]).toEqual([false, "linux/amd64", "slipway"]);
    const statuses = Object.fromEntries(
      requirements.map(({ id, status }: { id: string; status: string }) => [id, status]),
    );
    expect(statuses).toMatchObject({ registry: "failed", layers: "met", entrypoint: "untested", tmp: "untested" });
    expect(requirements[0]).toMatchObject({
      where: expect.stringMatching(/^layers\[1\]/),
      problem: "the registry does not have this layer",
      remedy: "Push the image again, whole.",
    });
  });

  it("refuses what is no question, with status 2", async () => {
    const uri = image().push(registry);
    for (const [args, code, culprit] of [
      [[uri, "--module=a"], "command-line-invalid", "--module"],
      [[uri.replace("v1", "v2")], "image-not-found", "v2"],
      [[uri, "--for=docker"], "command-line-invalid", "--for"],
    ] as const) {
      expect(await run(...args)).toEqual({ out: "", error: printed(code, culprit), status: 2 });
    }
  });
});
