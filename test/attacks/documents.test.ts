import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { write } from "../../src/cli/init/write.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { volumeMistakes } from "../../src/config/volumes.ts";
import { mountArgument } from "../../src/containers/arguments.ts";
import { divideEnvironment } from "../../src/containers/environment.ts";
import { UserError } from "../../src/core/errors.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { userErrorWith } from "../../src/core/testdata/reported.ts";
import { parseParagraphs } from "../../src/debian/deb822.ts";
import { parseRelations } from "../../src/debian/relation.ts";
import { compareVersions } from "../../src/debian/version.ts";
import { resolveInside } from "../../src/git/tree.ts";
import { isBranchName, parseGitUrl, requireGitUrl, submoduleUrl } from "../../src/git/url.ts";
import { findJobFolder } from "../../src/jobs/job-folder.ts";
import { parseDeployment } from "../../src/jobs/read.ts";
import { LogLines } from "../../src/kubernetes/log-lines.ts";
import { pathProblem } from "../../src/models/paths.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { requirementLines } from "../../src/python-environments/requirement-lines.ts";
import { encodePack, parsePack } from "../../src/results/pack.ts";
import { readRun } from "../../src/runs/read.ts";
import { licenseExpression } from "../../src/sbom/license-expression.ts";
import { debianLicense, distributionOf, npmPackage, pythonPackage } from "../../src/sbom/package-files.ts";
import { packageUrl } from "../../src/sbom/package-record.ts";
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

describe("a service of somebody else", () => {
  it.each([
    "port: 0",
    "port: 65536",
    "port: 1.5",
    'environment: {"A=B": c}',
    'environment: {"*": c}',
    'command: "a"',
    "replicas: 1e9",
    "privileged: true",
    "hostNetwork: true",
  ])("is refused with %s", (line) => {
    const without = service.replace(line.startsWith("port") ? /port.*\n/ : "", "");
    expect(() => parseServices(`${without}${line}\n`, "a.yaml", ["C4"])).toThrow(UserError);
  });
});

describe("a name of a service of somebody else", () => {
  it.each(["../x", "a/b", "A", "-a", "a".repeat(300), "a\nb", "kube-system/x", "a\0", "a b", "%2e%2e"])(
    "is refused, or one part of a path: %#",
    (name) => {
      let read = "a";
      try {
        [read = ""] = parseServices(`name: ${JSON.stringify(name)}\n${service}`, "a.yaml", ["C4"]).map(
          (each) => each.service.name,
        );
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
      expect(read).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    },
  );
});

describe("a configuration of somebody else", () => {
  it.each([
    'registries: {"a b": {}}',
    "registries: {evil@good.example: {}}",
    "registries: {https://a.example: {}}",
    "registries: {a.example/b: {}}",
    'registries: {"a.example\\nb": {}}',
    'registries: {"": {}}',
    "registries: []",
    "registries: {a.example: {require: null}}",
    "registries: {a.example: {require: {}}}",
    "instanceTypes: {A: {cpu: -1, memory: 1GB}}",
    "instanceTypes: {A: {cpu: 1e999, memory: 1GB}}",
    "instanceTypes: {A: {cpu: .nan, memory: 1GB}}",
    "instanceTypes: {A: {cpu: 1, memory: -1}}",
  ])("is refused with %s", (line) => {
    expect(() => parseConfig(`${line}\n`, "a.yaml")).toThrow(UserError);
  });
});

describe("a repository of somebody else, for `slipway init`", () => {
  function linked(name: string, target: (outside: string) => string) {
    const [outside, folder] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(outside, "file"), "before");
    mkdirSync(join(folder, "below"));
    symlinkSync(target(outside), join(folder, name));
    return { outside, folder };
  }

  it.each([
    ["an addition to a file", ".gitignore", "file", ".gitignore"],
    ["an addition to MODULE.bazel", "MODULE.bazel", "file", "MODULE.bazel"],
    ["a file in a folder", "tools", ".", "tools/bazel"],
    ["a file in a folder of a folder", "tools", ".", "tools/bootstrap/choose.sh"],
    ["a file by a link to no file", ".bazelrc", "missing", ".bazelrc"],
  ])("writes nothing outside of it through a link: %s", async (_, name, target, written) => {
    const { outside, folder } = linked(name, (place) => join(place, target));
    const isNew = !["file"].includes(target);
    const plan = { files: isNew ? { [written]: "x" } : {}, additions: isNew ? {} : { [written]: "x" } };
    const writing = write(folder, { ...plan, target: "", bazel: "", notes: [] });
    await expect(writing).rejects.toThrow(userErrorWith("installation-failed", folder));
    expect(readdirSync(outside)).toEqual(["file"]);
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("before");
  });

  it("may have links to its own folders", async () => {
    const { folder } = linked("tools", () => "below");
    await write(folder, { files: { "tools/a/b": "x" }, additions: {}, target: "", bazel: "", notes: [] });
    expect(readFileSync(join(folder, "below/a/b"), "utf8")).toBe("x");
  });
});

describe("a package", () => {
  it.each([
    ["a control character", { name: "a\u001b[2J" }],
    ["a line end", { name: "a\nb" }],
    ["parameters of its own", { name: "a?arch=x&checksum=y#z" }],
    ["another package after it", { name: "a@1.0.0 pkg:npm/good" }],
    ["a path", { name: "../../a" }],
    ["half a character", { name: "a\ud800" }],
    ["parameters in its version", { version: "1?a=b" }],
    ["a line end in its version", { version: "1\npkg:npm/good@1" }],
  ])("has one package URL with %s in its name", (_, change) => {
    const text = JSON.stringify({ name: "a", version: "1", ...change });
    const [record] = npmPackage(text);
    expect(record && packageUrl(record)).toMatch(/^pkg:npm\/(?:[\w.%~:-]+\/)*[\w.%~:-]+@[\w.%~:-]+$/);
  });

  it.each([
    '{"__proto__": {"polluted": 1}, "name": "a", "version": "1"}',
    '{"constructor": {"prototype": {"polluted": 1}}, "name": "a", "version": "1"}',
    '{"name": {"toString": 1}, "version": "1"}',
    '{"name": ["a"], "version": "1"}',
    '{"name": "a", "version": "1", "licenses": {"length": 1e9}}',
    '{"name": "a", "version": "1", "license": {"type": {"type": "MIT"}}}',
    "null",
    "1e999",
  ])("is read as data: %s", (text) => {
    for (const record of npmPackage(text)) expect(record).toEqual({ type: "npm", name: "a", version: "1" });
    expect("polluted" in {}).toBe(false);
  });
});

const much = (text: string) => text.repeat(Math.floor(100_000 / text.length));

describe.each<[string, (text: string) => unknown]>([
  ["relations of Debian", parseRelations],
  ["versions of Debian", (text) => compareVersions(text, `${text}1`)],
  ["paragraphs of Debian", (text) => [...parseParagraphs(text)]],
  ["licences of Debian", (text) => debianLicense(`Format:\nLicense: ${text}\n`)],
  ["licences", licenseExpression],
  ["os-release", (text) => distributionOf(`ID=${text}\nVERSION_ID="${text}`)],
  ["METADATA", pythonPackage],
  ["references", (text) => parseReference(`a.example/${text}`)],
  ["addresses of git", (text) => parseGitUrl(`https://a.example/${text}`)],
  ["requirements", requirementLines],
])("%s that somebody else wrote", (_, parse) => {
  it.each(["a", "-", ".", " ", "(", "((a)", "a|", "a,", "[a", "a:", '"', "\\", "\n", "~a", "1.", "a (>= 1), "])(
    "are read in time that grows with their length, of %j",
    (text) => {
      const began = process.cpuUsage();
      try {
        parse(much(text));
      } catch (error) {
        expect(error).toHaveProperty("remedy");
      }
      expect(process.cpuUsage(began).user / 1000).toBeLessThan(2000);
    },
  );
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
