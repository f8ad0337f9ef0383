import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { Bench, outcome } from "./testing.ts";

// Installs Debian's Bazel from the mirror of this machine, several times: for the full tier.

const bench = new Bench();
bench.path = (process.env["PATH"] ?? "").split(delimiter);
for (const name of ["npm", "apt-get", "dpkg-deb", "node"]) rmSync(join(bench.programs, name));
for (const name of ["bazel", "bazelisk"]) bench.fakeBazel(name, "4.2.3");
bench.write("data.txt", "data\n");
bench.write(
  "BUILD.bazel",
  `load(":program.bzl", "program")
load("@bazel_skylib//lib:paths.bzl", "paths")
program(name = "program", srcs = ["data.txt", ":generated"])
genrule(name = "generated", srcs = ["data.txt"], outs = [paths.join("a", "b")], cmd = "cat $< $< >$@")
`,
);
bench.write(
  "program.bzl",
  `def _program(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    files = " ".join([file.short_path for file in ctx.files.srcs])
    ctx.actions.write(out, "#!/bin/sh\\ncat %s; echo \\"$@\\"\\n" % files, is_executable = True)
    return DefaultInfo(executable = out, runfiles = ctx.runfiles(ctx.files.srcs))

program = rule(implementation = _program, attrs = {"srcs": attr.label_list(allow_files = True)}, executable = True)
`,
);
bench.write(
  "MODULE.bazel",
  'bazel_dep(name = "platforms", version = "1.0.0")\nbazel_dep(name = "bazel_skylib", version = "1.8.2")\n',
);

const packages = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".deb")) : [];
const installation = () => realpathSync(join(bench.state, "debian"));
const offline = { http_proxy: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1", HTTPS_PROXY: "" };

afterAll(async () => {
  if (existsSync(bench.state)) await bench.run(["shutdown"]);
  rmSync(bench.folder, { recursive: true, force: true });
});

describe("Debian's Bazel", { timeout: 240_000 }, () => {
  test("offline with nothing there, the mirror that does not answer is named", async () => {
    const { status, stderr } = await bench.run(["--version"], { env: { http_proxy: offline.http_proxy } });
    expect(stderr).toMatch(/apt cannot read \w+: [EW]: .*\n {2}Check the network and \w+:/);
    expect(status).toBe(1);
  });

  test("an installation that was killed is completed by the next, once, by two at once", async () => {
    const debs = join(bench.state, "debs");
    const killed = bench.start(["--version"]);
    const ended = outcome(killed);
    while (packages(debs).length < 10) {
      if (killed.exitCode !== null) throw new Error(`it ended first: ${(await ended).stderr}`);
      await pause(20);
    }
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    const [damaged = ""] = packages(debs);
    writeFileSync(join(debs, damaged), Buffer.alloc(statSync(join(debs, damaged)).size));

    const both = await Promise.all([bench.run(["--version"]), bench.run(["--version"])]);
    for (const { status, stdout } of both) {
      expect(stdout).toMatch(/^bazel 7\.\d+\.\d+\n$/);
      expect(status).toBe(0);
    }
    const said = both.map(({ stderr }) => stderr).join("");
    expect(said.match(/installing Debian's Bazel in .* of which [1-9]\d* are here, this once\./g)).toHaveLength(1);
    expect(said).toMatch(/downloading \(\d+ of \d+ MB\) …|unpacking \d+ packages …|making Debian's Bazel run from /);
    expect(said.match(/another tools\/bazel is installing Bazel/g)).toHaveLength(1);
    expect(existsSync(debs)).toBe(false);
  });

  test("runs without a network and without a word, and writes no lock file", async () => {
    const { status, stdout, stderr } = await bench.run(
      ["run", "--ui_event_filters=-info", "--noshow_progress", "//:program", "--", "--help", "a b"],
      {
        env: offline,
      },
    );
    expect(stdout).toBe("data\ndata\ndata\n--help a b\n");
    expect(stderr).not.toContain("tools/bazel");
    expect(status).toBe(0);
    expect(existsSync(join(bench.workspace, "MODULE.bazel.lock"))).toBe(false);
  });

  test("knows a version of a module as soon as MODULE.bazel names it", async () => {
    bench.write(
      "MODULE.bazel",
      'bazel_dep(name = "platforms", version = "77.0")\nbazel_dep(name = "bazel_skylib", version = "78.1")\n',
    );
    const { status, stdout } = await bench.run(["mod", "graph"]);
    expect(stdout).toContain("platforms@77.0");
    expect(stdout).toContain("bazel_skylib@78.1");
    expect(status).toBe(0);
  });

  test("works in WORKSPACE mode, C++ toolchain included", async () => {
    bench.write("old/WORKSPACE", "");
    bench.write(
      "old/BUILD.bazel",
      'load("@bazel_skylib//lib:paths.bzl", "paths")\ncc_library(name = paths.basename("a/c"))\n',
    );
    const cwd = join(bench.workspace, "old");
    const { status, stderr } = await bench.run(["build", "--enable_workspace", "--noenable_bzlmod", "//:c"], { cwd });
    expect(stderr).toContain("Build completed successfully");
    expect(status).toBe(0);
    await bench.run(["shutdown"], { cwd });
  });

  test("trusts the certificates that this machine trusts", () => {
    const machine = "/etc/ssl/certs/ca-certificates.crt";
    if (!existsSync(machine)) return;
    const java = /server_javabase=(.*)'/.exec(readFileSync(join(installation(), "bazelrc"), "utf8"))?.[1] ?? "";
    const listed = execFileSync(
      join(java, "bin/java"),
      [
        "-m",
        "java.base/sun.security.tools.keytool.Main",
        "-list",
        "-keystore",
        join(installation(), "truststore"),
        "-storepass",
        "changeit",
      ],
      { encoding: "utf8" },
    );
    expect(listed.match(/trustedCertEntry/g)).toHaveLength(
      readFileSync(machine, "utf8").match(/BEGIN CERTIFICATE/g)?.length ?? 0,
    );
  });

  test.each<[string, (home: string) => string]>([
    [
      "a file that changed",
      (home) => {
        appendFileSync(join(home, "root/usr/share/bazel/A-server.jar"), "damage");
        return "root/usr/share/bazel/A-server.jar";
      },
    ],
    [
      "a file that is gone",
      (home) => {
        const file = "root/usr/share/bazel/embedded_tools/tools/genrule/genrule-setup.sh";
        rmSync(join(home, file));
        return dirname(file);
      },
    ],
  ])("%s is noticed and repaired", async (_, damage) => {
    const home = installation();
    const place = damage(home);
    const { status, stdout, stderr } = await bench.run(["run", "//:program"]);
    expect(stderr).toContain(`is damaged (${place}); installing it again.`);
    expect(stdout).toBe("data\ndata\ndata\n\n");
    expect(status).toBe(0);
    expect(installation()).not.toBe(home);
  });

  test("an unfinished registry is made again, and nothing is installed", async () => {
    const home = installation();
    const entry = join(home, "registry/modules/bazel_skylib");
    rmSync(entry, { recursive: true });
    const { status, stderr } = await bench.run(["shutdown"]);
    expect(stderr).not.toContain("installing");
    expect(status).toBe(0);
    expect(existsSync(entry)).toBe(true);
    expect(installation()).toBe(home);
  });

  test("a damaged installation stays as long as a server runs from it", async () => {
    const damage = () => appendFileSync(join(installation(), "bazelrc"), "\n");
    const used = installation();
    expect((await bench.run(["info", "server_pid"])).status).toBe(0);
    damage();
    // Installs anew and starts no server; the one that runs still finds its files.
    expect((await bench.run(["--version"])).stderr).toContain("installing it again");
    expect(existsSync(used)).toBe(true);
    // Bazel ends a server of another installation, so nothing uses the first one any more.
    expect((await bench.run(["shutdown"])).status).toBe(0);
    damage();
    await bench.run(["--version"]);
    expect(existsSync(used)).toBe(false);
  });

  test("does not stand in for another major version", async () => {
    const { status, stderr } = await bench.run(["info"], { env: { USE_BAZEL_VERSION: "9.0.0" } });
    expect(stderr).toMatch(
      /Bazel 9\.0\.0 cannot be had on this machine \(.*; Debian's is 7\..*\)\.\n.*USE_BAZEL_VERSION=7/,
    );
    expect(status).toBe(1);
  });
});
