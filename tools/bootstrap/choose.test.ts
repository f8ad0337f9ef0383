import { execFileSync } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { Bench, outcome } from "./testing.ts";

describe("BAZEL_REAL", () => {
  test("is run as it is, whatever else there is", async () => {
    const bench = new Bench();
    bench.fakeBazel("bazel", "7.7.1");
    const real = bench.fakeBazel("real", "6.5.0");
    expect(await bench.run(["run", "//a", "--", "--help"], { env: { BAZEL_REAL: real } })).toEqual({
      status: 7,
      stdout: "6.5.0 called with: run //a -- --help skip=\n",
      stderr: "",
    });
  });

  test.each([["/nowhere/bazel"], ["tools/bazel"]])("%s is refused", async (real) => {
    const { status, stderr } = await new Bench().run(["info"], { env: { BAZEL_REAL: real } });
    expect(status).toBe(2);
    expect(stderr).toContain(`BAZEL_REAL=${real} is not a Bazel that can be run.`);
  });
});

// Where this machine lets tests give files away.
test.runIf(canGiveAway())("a cache folder that another user made is refused", async () => {
  const bench = new Bench();
  bench.fakeBazel("bazel", "7.7.1");
  mkdirSync(bench.state, { recursive: true });
  for (const folder of [bench.state, dirname(bench.state)]) {
    chownSync(folder, 4242, 4242);
    const { status, stderr } = await bench.run(["info"]);
    expect(status).toBe(2);
    expect(stderr).toContain(`the cache folder ${folder} belongs to another user.`);
    chownSync(folder, 0, 0);
  }
  expect((await bench.run(["info"])).status).toBe(7);
});

function canGiveAway(): boolean {
  const path = join(mkdtempSync(join(tmpdir(), "owner-")), "file");
  writeFileSync(path, "");
  try {
    chownSync(path, 4242, 4242);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(dirname(path), { recursive: true });
  }
}

describe("a Bazel on PATH", () => {
  test.each([["7.7.1"], ["7.x"], ["7.*"], ["latest"]])("that satisfies %s is used, said once", async (wanted) => {
    const bench = new Bench();
    const path = bench.fakeBazel("bazel", "7.7.1");
    bench.write(".bazelversion", wanted);
    const first = await bench.run(["info", "a b"]);
    expect(first.stderr).toBe(`tools/bazel: using ${path} from PATH, which is Bazel 7.7.1.\n`);
    expect(first.stdout).toBe("7.7.1 called with: info a b skip=true\n");
    expect(first.status).toBe(7);
    // For its user alone, as docs/environment.md says.
    expect(statSync(join(bench.home, ".cache/slipway")).mode & 0o777).toBe(0o700);
    expect(await bench.run(["info"])).toEqual({ status: 7, stdout: "7.7.1 called with: info skip=true\n", stderr: "" });
  });

  test("of another version is passed over for a bazelisk", async () => {
    const bench = new Bench();
    const bazel = bench.fakeBazel("bazel", "4.2.3");
    const bazelisk = bench.fakeBazel("bazelisk", "7.7.1");
    const { stderr } = await bench.run(["info"]);
    expect(stderr).toBe(
      `tools/bazel: using ${bazelisk} from PATH, which is Bazel 7.7.1 (${bazel} is Bazel 4.2.3, not 7.7.1).\n`,
    );
  });

  test("that comes, changes or goes is noticed", async () => {
    const bench = new Bench();
    const bazelisk = bench.fakeBazel("bazelisk", "7.7.1");
    await bench.run(["info"]);
    const bazel = bench.fakeBazel("bazel", "7.7.1");
    expect((await bench.run(["info"])).stderr).toContain(`using ${bazel} from PATH`);
    bench.fakeBazel("bazel", "8.0.0");
    utimesSync(bazel, new Date(Date.now() + 60_000), new Date(Date.now() + 60_000));
    expect((await bench.run(["info"])).stderr).toContain(`using ${bazelisk} from PATH`);
  });

  test("is asked with the version of the workspace in which the command runs", async () => {
    const bench = new Bench();
    bench.fakeBazel("bazel", "8.4.2");
    bench.write("examples/one/MODULE.bazel", "");
    bench.write("examples/one/.bazelversion", "8.4.2");
    const { stdout } = await bench.run(["info"], { cwd: join(bench.workspace, "examples/one") });
    expect(stdout).toContain("8.4.2 called with: info");
    expect((await bench.run(["info"])).stderr).toContain("is Bazel 8.4.2, not 7.7.1");
  });

  test("that is this file, by link or by copy, is no Bazel", async () => {
    const bench = new Bench();
    symlinkSync(bench.tool, join(bench.programs, "bazel"));
    copyFileSync(bench.tool, join(bench.programs, "bazelisk"));
    const { status, stderr } = await bench.run(["info"]);
    expect(status).toBe(2);
    expect(stderr).toContain("bazelisk gives no version: it only runs the Bazel of a workspace");
    expect(stderr).not.toContain(`${bench.programs}/bazel gives`);
  });

  test("may be a wrapper that runs tools/bazel with BAZEL_REAL", async () => {
    const bench = new Bench();
    const real = bench.fakeBazel("real", "7.7.1");
    bench.fake("bazel", `BAZEL_REAL=${real} exec ${bench.tool} "$@"`);
    expect((await bench.run(["info"])).stdout).toBe("7.7.1 called with: info skip=true\n");
  });
});

describe("bazelisk from npm", () => {
  /** An npm that installs a bazelisk, and counts. */
  function npmWithBazelisk(bench: Bench, version: string): void {
    const bazelisk = bench.fakeBazel("bazelisk-of-npm", version);
    bench.fake("getent", "exit 0");
    bench.fake(
      "npm",
      `cp "$3/package-lock.json" ${bench.folder}/
echo "added 1 package"
folder="$3/node_modules/@bazel/bazelisk"
mkdir -p "$folder"
for name in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64; do cp ${bazelisk} "$folder/bazelisk-$name"; done`,
    );
  }

  test("is installed once, where the release servers can be reached", async () => {
    const bench = new Bench();
    npmWithBazelisk(bench, "7.7.1");
    const first = await bench.run(["build"]);
    expect(first.stderr).toMatch(/using bazelisk [\d.]+ from npm, which runs Bazel 7\.7\.1 \(no Bazel on PATH\)\.\n$/);
    expect(first.stdout).toBe("7.7.1 called with: build skip=true\n");
    expect(await bench.run(["build"])).toEqual({ ...first, stderr: "" });
  });

  test.each(["pnpm-lock.yaml", "tools/bootstrap/pnpm-lock.yaml"])(
    "is the one that %s pins, by its digest",
    async (name) => {
      const bench = new Bench();
      rmSync(join(bench.workspace, "pnpm-lock.yaml"));
      const pin = (version: string) => `  '@bazel/bazelisk@${version}':\n    resolution: {integrity: sha512-abc==}\n`;
      bench.write(name, `packages:\n\n${pin("9.8.7")}    hasBin: true\n\n  '@bazel/ibazel@1.2.3':\n`);
      npmWithBazelisk(bench, "7.7.1");
      expect((await bench.run(["build"])).stderr).toContain("using bazelisk 9.8.7 from npm");
      const { packages } = JSON.parse(readFileSync(join(bench.folder, "package-lock.json"), "utf8"));
      expect(packages["node_modules/@bazel/bazelisk"]).toEqual({ version: "9.8.7", integrity: "sha512-abc==" });
    },
  );

  test("says that it is being installed for as long as it is", async () => {
    const bench = new Bench();
    npmWithBazelisk(bench, "7.7.1");
    // npm goes on when it may read from a pipe.
    const pipe = join(bench.folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const npm = join(bench.programs, "npm");
    writeFileSync(npm, readFileSync(npm, "utf8").replace("\n", `\ncat ${pipe}\n`));
    const child = bench.start(["build"]);
    const ended = outcome(child);
    await new Promise<void>((heard) => {
      child.stderr?.on("data", (text) => /npm is installing bazelisk/.test(`${text}`) && heard());
    });
    writeFileSync(pipe, "go on\n");
    expect((await ended).status).toBe(7);
  });

  test("by two at once does no harm", async () => {
    const bench = new Bench();
    npmWithBazelisk(bench, "7.7.1");
    const both = await Promise.all([bench.run(["build"]), bench.run(["build"])]);
    expect(both.map(({ stdout }) => stdout)).toEqual(Array(2).fill("7.7.1 called with: build skip=true\n"));
  });

  test("is installed again when it was damaged", async () => {
    const bench = new Bench();
    npmWithBazelisk(bench, "7.7.1");
    await bench.run(["build"]);
    const folder = readdirSync(bench.state).find((name) => name.startsWith("bazelisk")) ?? "";
    rmSync(join(bench.state, folder, "node_modules/@bazel"), { recursive: true });
    expect((await bench.run(["build"])).stdout).toBe("7.7.1 called with: build skip=true\n");
  });

  test("that npm cannot install gives npm's reason", async () => {
    const bench = new Bench();
    bench.fake("getent", "exit 0");
    bench.fake(
      "npm",
      'printf "npm error %s\\n" "code E1" "no such host" "A complete log of this run is there" >&2; exit 1',
    );
    expect((await bench.run(["build"])).stderr).toContain("npm cannot install bazelisk: npm error no such host;");
  });

  test("that cannot download gives its reason", async () => {
    const bench = new Bench();
    npmWithBazelisk(bench, "7.7.1");
    bench.fake("bazelisk-of-npm", 'echo "could not download Bazel: dial tcp: refused" >&2; exit 1');
    const { status, stderr } = await bench.run(["build"]);
    expect(status).toBe(2);
    expect(stderr).toContain("bazelisk cannot get Bazel 7.7.1: could not download Bazel: dial tcp: refused");
  });
});

describe("where no Bazel can be had", () => {
  test("says what was tried and what to do", async () => {
    const bench = new Bench();
    const { status, stdout, stderr } = await bench.run(["build"]);
    expect(stderr).toBe(
      "tools/bazel: Bazel 7.7.1 cannot be had on this machine (no Bazel on PATH; Bazel's release server is an unknown host; " +
        "apt's sources name no Debian mirror).\n" +
        "  Name a mirror in /etc/apt/sources.list.d, or put bazelisk or Bazel 7.7.1 on PATH.\n",
    );
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  test("names Node.js where Debian's would lack it, before it downloads", async () => {
    if (!existsSync("/etc/ssl/certs/ca-certificates.crt")) return;
    const bench = new Bench();
    rmSync(join(bench.programs, "node"));
    const { status, stderr } = await bench.run(["build"]);
    expect(stderr).toMatch(/node is not installed.*\n {2}.*apt-get install nodejs/);
    expect(status).toBe(1);
    expect(existsSync(join(bench.state, "apt"))).toBe(false);
  });

  test("names a path that Debian's could not work in, before it downloads", async () => {
    const bench = new Bench();
    const cwd = bench.makeFolder("workspace/café");
    const { status, stderr } = await bench.run(["build"], { cwd });
    expect(stderr).toContain(cwd);
    expect(status).toBe(2);
    expect(existsSync(join(bench.state, "apt"))).toBe(false);
  });

  test("names a HOME that is read-only", async () => {
    const bench = new Bench();
    // As a read-only file system does, for root too.
    rmSync(join(bench.programs, "mkdir"));
    bench.fake("mkdir", 'echo "Read-only file system" >&2; exit 1');
    const { status, stderr } = await bench.run(["build"]);
    expect(stderr).toMatch(new RegExp(`^tools/bazel: the cache folder ${bench.state} cannot be written\\.\n {2}.+\n$`));
    expect(status).toBe(1);
  });

  test("says how much space is lacking before it downloads", async () => {
    const bench = new Bench();
    rmSync(join(bench.programs, "df"));
    bench.fake("df", 'printf "Filesystem 1M-blocks Used Available\\ndisk 900 800 100\\n"');
    const { status, stderr } = await bench.run(["build"]);
    expect(stderr).toMatch(/needs [67]\d\d MB more in .*, where 100 MB are free/);
    expect(status).toBe(1);
  });

  test("names what a machine without apt and npm lacks", async () => {
    const bench = new Bench();
    rmSync(join(bench.programs, "npm"));
    rmSync(join(bench.programs, "apt-get"));
    const { status, stderr } = await bench.run(["build"]);
    expect(stderr).toContain("(no Bazel on PATH; npm is not installed; apt-get is not installed)");
    expect(status).toBe(1);
  });

  test.each([["../../x"], ["7 7"], ["/etc"]])("%s is no version", async (version) => {
    const bench = new Bench();
    bench.write(".bazelversion", version);
    const { status, stderr } = await bench.run(["build"]);
    expect(stderr).toContain(`'${version}' is not a version of Bazel.`);
    expect(status).toBe(2);
  });

  test("without a HOME it names the variable", async () => {
    const { status, stderr } = await new Bench().run(["build"], { env: { HOME: "" } });
    expect(stderr).toContain("HOME is not set");
    expect(status).toBe(2);
  });

  test("a cache folder that cannot be made is named", async () => {
    const bench = new Bench();
    writeFileSync(join(bench.home, ".cache"), "a file");
    const { status, stderr } = await bench.run(["build"]);
    expect(stderr).toContain(`the cache folder ${bench.state} cannot be written.`);
    expect(status).toBe(1);
  });

  test("a folder without a workspace takes the version beside the tool", async () => {
    const bench = new Bench();
    const bazel = bench.fake(
      "bazel",
      'if [ "$*" = --version ]; then echo "bazel 7.7.1"; else echo "for $USE_BAZEL_VERSION"; fi',
    );
    mkdirSync(join(bench.folder, "elsewhere"));
    const { stdout, stderr } = await bench.run(["info"], { cwd: join(bench.folder, "elsewhere") });
    expect(stderr).toContain(`using ${bazel} from PATH`);
    expect(stdout).toBe("for 7.7.1\n");
  });
});
