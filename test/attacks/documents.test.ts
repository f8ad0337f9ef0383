import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse-config.ts";
import { volumeMistakes } from "../../src/config/volumes.ts";
import { mountArgument } from "../../src/containers/arguments.ts";
import { divideEnvironment } from "../../src/containers/environment.ts";
import { UserError } from "../../src/core/errors.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { userErrorWith } from "../../src/core/testdata/reported.ts";
import { resolveInside } from "../../src/git/tree.ts";
import { isBranchName, parseGitUrl, requireGitUrl, submoduleUrl } from "../../src/git/url.ts";
import { findJobFolder } from "../../src/jobs/job-folder.ts";
import { parseDeployment } from "../../src/jobs/read.ts";
import { LogLines } from "../../src/kubernetes/log-lines.ts";
import { pathProblem } from "../../src/models/paths.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { encodePack, parsePack } from "../../src/results/pack.ts";
import { readRun } from "../../src/runs/read.ts";
import { readLabels } from "../../src/services/container/facts.ts";
import { parseServices } from "../../src/services/read.ts";

const job = "interpreter: {ContainerAtTag: {repository: a.io/b, tag: v1}}\n";
const service = "image: a.io/b\nport: 80\nresources: {replicas: 1, instanceType: C4}\n";
const bomb = `x: &a [${"1,".repeat(99)}]\n${"bcdefghi".replaceAll(/./g, (name) => `x${name}: &${name} [${`*${String.fromCharCode(name.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`;

describe.each([
  ["a job", (text: string) => parseDeployment(text, "a.yaml"), job],
  ["a service", (text: string) => parseServices(text, "a.yaml", ["C4"]), service],
  ["config.yaml", (text: string) => parseConfig(text, "a.yaml"), "registries: {}\n"],
])("%s of somebody else", (_, parse, good) => {
  it.each([
    ["aliases that multiply", `${bomb}${good}`],
    ["nested lists", `${good}x: ${"[".repeat(5000)}`],
    ["nested groups", `${good}x: ${"{a: ".repeat(150)}1${"}".repeat(150)}`],
    ["a key __proto__", `${good}__proto__: {polluted: 1}\n`],
    ["a merged key", `x: &x {polluted: 1}\n${good}<<: *x\n`],
    ["a tag of a group", `${good}x: !!js/object {}\n`],
    ["a tag of a language", `${good}x: !!js/function "function () {}"\n`],
    ["a control character", `${good}x: "\u001b[2J"\n`],
  ])("is refused with %s, at once", async (_name, text) => {
    const began = process.cpuUsage();
    await expect((async () => parse(text))()).rejects.toThrow(UserError);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(2000);
    expect("polluted" in {}).toBe(false);
  });
});

describe("a job of somebody else", () => {
  it.each([
    'environment: {"A=B": c}',
    'environment: {"A\\nB": c}',
    'environment: {"*": c}',
    "volumes: {/proc/1: {claim: a}}",
    "volumes: {/data/../etc: {claim: a}}",
    "volumes: {/data: {claim: ../a}}",
    'volumes: {/data: {claim: "-a"}}',
  ])("is refused with %s", (line) => {
    expect(() => parseDeployment(`${job}command: [a]\n${line}\n`, "a.yaml")).toThrow(userErrorWith("field-invalid"));
  });

  it("puts nothing over folders of the system", () => {
    for (const path of ["/", "/dev/shm", "/sys", "/run/a", "/slipway", "/etc", "a", "/a\nb", "/a:b"])
      expect(volumeMistakes({ [path]: { claim: "a" } }), path).not.toEqual([]);
  });
});

describe("arguments of podman and docker", () => {
  it.each(["*", "A*", "A B", "A=B", "A\nB", "#A", "", "A\0"])(
    "have no variable %j: * takes all variables of the user",
    (name) => {
      expect(() => divideEnvironment({ [name]: "" })).toThrow(userErrorWith("variable-invalid"));
    },
  );

  it.each(["-v/:/host", "--privileged", "--privileged a.io/b", "a.io/b --privileged", "a.io/b\n-v", "$(id)"])(
    "have no image %j",
    (image) => {
      expect(() => parseReference(image)).toThrow(userErrorWith("reference-invalid"));
    },
  );

  it("have a mount with a comma or a quotation mark in its path as one part", () => {
    const argument = mountArgument({ source: '/a,source=/etc,"b', target: "/t,rw=true" } as never);
    expect(argument).toBe('--mount=type=bind,"source=/a,source=/etc,""b","destination=/t,rw=true",readonly');
  });
});

describe("a git server or a repository", () => {
  it.each([
    "ext::sh -c id",
    "ssh://-oProxyCommand=id/a",
    "ssh://a@-oProxyCommand=id/a",
    "-oProxyCommand=id@example.com:a",
    "a@example.com:-a",
    "--upload-pack=id",
    "file:///etc",
    "http://example.com/a",
    "https://example.com/a\n.git",
    "https://user:password@example.com/a",
    "https://example.com\\@evil.example/a",
  ])("has no address %j", (url) => {
    expect(parseGitUrl(url)).toHaveProperty("problem");
  });

  it.each(["--upload-pack=id", "a..b", "a\nb", "-b", "a b", "a@{1}", ".a", "a.lock", "refs/../x"])(
    "has no branch %j",
    (name) => {
      expect(isBranchName(name)).toBe(false);
    },
  );

  it("has submodules on servers alone, and relative ones on its own server", () => {
    const parent = requireGitUrl("https://example.com/a/b.git", ["https", "ssh"], "a");
    const safe = ["https", "ssh"] as const;
    expect(submoduleUrl(parent, "../../../../evil", safe, "a").authority).toBe("example.com");
    for (const url of ["ext::id", "file:///etc", "../\nb", "/etc", "--upload-pack=id"])
      expect(() => submoduleUrl(parent, url, safe, "a"), url).toThrow(userErrorWith("code-invalid"));
  });

  it("has no code outside of it, by a path or by a link", async () => {
    const folder = temporaryFolder();
    symlinkSync("/etc", join(folder, "link"));
    writeFileSync(join(folder, "file"), "");
    for (const path of ["..", "../..", "link", "link/ssh", "/etc/../.."])
      await expect(resolveInside(folder, path, "folder", "a"), path).rejects.toThrow(
        userErrorWith("code-invalid", path),
      );
  });
});

describe("somebody with push right", () => {
  const scope = { function: "f", version: "1" };
  const key = "0".repeat(64);

  it("keeps no result that breaks a program: nested without measure, of another function, on two lines", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect(parsePack(encodePack(scope, [{ key, result: deep }]), scope)).toMatch("nested");
    expect(parsePack(encodePack({ ...scope, version: "2" }, [{ key, result: "1" }]), scope)).toMatch(
      "another function",
    );
    const [head] = encodePack(scope, []).toString().split("\n");
    expect(parsePack(Buffer.from(`${head}\n${key} 1\n${key}\n`), scope)).toMatch("without a key");
  });

  it.each(["../a", "/a", "a/../b", "a\\b", "a\u001b", "", "a//b", ".", `${"a".repeat(256)}`, "\ud800"])(
    "makes no model with a file %j",
    (path) => {
      expect(pathProblem(path)).toBeTypeOf("string");
    },
  );
});

describe("names of runs, jobs and containers", () => {
  it("lead nowhere else", () => {
    const folder = temporaryFolder();
    const env = { HOME: folder };
    for (const id of ["../../etc/passwd", "20240101T000000Z-00000000/../x", "\0", ""]) {
      expect(() => findJobFolder(folder, id), id).toThrow(UserError);
      try {
        expect(readRun(id, env), id).toBeUndefined();
      } catch (error) {
        expect((error as Error).message, id).toMatch("no run is called");
      }
    }
  });

  it("of others are no service's", () => {
    expect(readLabels({ "slipway/service": "a" })).toBeUndefined();
    expect(readLabels({ "slipway/service": "a", "slipway/replica": "x", "slipway/hash": "h" })).toBeUndefined();
  });
});

describe("a cluster", () => {
  it.each([
    "9999-99-99T99:99:99Z a\n",
    "x".repeat(1 << 20),
    "2024-01-01T00:00:00Z",
    `2024-01-01T00:00:00Z ${"\0".repeat(1000)}`,
  ])("whose log is nonsense stops nothing", (text) => {
    const lines = new LogLines();
    for (let count = 0; count < 3; count += 1) {
      lines.since();
      lines.write(Buffer.from(text));
    }
    expect(lines.since() ?? "").toMatch(/^(\d{4}-.*Z)?$/);
  });
});
