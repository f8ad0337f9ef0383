import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** An OCI layout of one image. */
class Layout {
  readonly #folder: string;
  readonly #manifest: { config: { digest: string }; layers: { digest: string; size: number }[] };

  constructor(folder: string) {
    this.#folder = folder;
    const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
    this.#manifest = this.#read(index.manifests[0].digest);
  }

  get layers(): string[] {
    return this.#manifest.layers.map(({ digest }) => this.#path(digest));
  }

  get config(): { User: string; Env: string[] } {
    return this.#read(this.#manifest.config.digest).config;
  }

  #path(digest: string): string {
    return join(this.#folder, "blobs", digest.replace(":", "/"));
  }

  #read(digest: string) {
    return JSON.parse(readFileSync(this.#path(digest), "utf8"));
  }
}

const runfiles = process.env["TEST_SRCDIR"] ?? "";

describe.each(["slim_base", "worker_base"])("%s", (name) => {
  const root = mkdtempSync(join(tmpdir(), "base-"));
  const path = (...parts: string[]) => join(root, ...parts);
  let image: Layout;
  const inside = (user: number, ...command: string[]) =>
    execFileSync("/usr/sbin/chroot", [`--userspec=${user}:${user}`, root, ...command], {
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin" },
    });

  beforeAll(() => {
    chmodSync(root, 0o755);
    const [layout = name, ...more] = globSync(`*${name}_*/image/image.layout`, { cwd: runfiles });
    expect(more).toEqual([]);
    image = new Layout(join(runfiles, layout));
    for (const layer of image.layers) {
      execFileSync("tar", ["-xpf", layer, "-C", root, "--same-owner", "--numeric-owner"]);
    }
    // Engines make them.
    execFileSync("mknod", ["-m", "666", path("dev/null"), "c", "1", "3"]);
    execFileSync("mknod", ["-m", "666", path("dev/urandom"), "c", "1", "9"]);
    // Programs bring their Node.
    copyFileSync(process.execPath, path("usr/local/bin/node"));
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it("runs Node as the image's user, who has a home to write to", () => {
    const script = `
      const fs = require("node:fs");
      fs.writeFileSync(process.env.HOME + "/file", "");
      const { username, homedir, shell } = os.userInfo();
      console.log(JSON.stringify([process.version, username, homedir, shell]));`;
    const printed = inside(1000, "/bin/sh", "-c", 'HOME=/home/slipway exec /usr/local/bin/node -e "$0"', script);
    expect(JSON.parse(printed)).toEqual([process.version, "slipway", "/home/slipway", "/bin/sh"]);
  });

  it("has certificates that a TLS library accepts", () => {
    const script = `
      const bundle = fs.readFileSync("/etc/ssl/certs/ca-certificates.crt", "utf8");
      const certificates = bundle.split("-----END CERTIFICATE-----").filter((text) => text.includes("BEGIN"));
      const parsed = certificates.map((text) => new crypto.X509Certificate(text + "-----END CERTIFICATE-----"));
      console.log(parsed.filter(({ ca }) => ca).length);`;
    expect(Number(inside(1000, "/usr/local/bin/node", "-e", script))).toBeGreaterThan(100);
  });

  it("knows the time zone and itself", () => {
    expect(
      inside(1000, "/usr/local/bin/node", "-p", "new Intl.DateTimeFormat().resolvedOptions().timeZone").trim(),
    ).toMatch(/UTC/);
    expect(readFileSync(path("etc/os-release"), "utf8")).toContain("VERSION_CODENAME=bookworm");
  });

  it("keeps secrets and temporary files as Debian does", () => {
    expect(statSync(path("etc/shadow")).mode & 0o777).toBe(0o640);
    expect(statSync(path("tmp")).mode & 0o7777).toBe(0o1777);
    expect(statSync(path("home/slipway")).uid).toBe(1000);
  });

  it("has a cache in which the loader finds libraries", () => {
    const command = ["/bin/sh", "-c", "LD_DEBUG=libs exec /usr/local/bin/node --version"];
    const { stderr } = spawnSync("/usr/sbin/chroot", [root, ...command], { encoding: "utf8" });
    expect(stderr).toMatch(/search cache=\/etc\/ld\.so\.cache\n\s+\d+:\s+trying file=\/lib\/[^/]+\/libstdc\+\+\.so\.6/);
  });

  it.runIf(name === "worker_base")("has Python and git, which work together", () => {
    const script = `
set -e
cd; git init --quiet --initial-branch=main r; cd r
git config user.name a; git config user.email a@b
python3 -c 'import ssl, sqlite3, sys; open("f", "w").write("%d.%d" % sys.version_info[:2])'
git add f; git commit --quiet -m "first commit"; git log --format=%s; cat f`;
    const env = Object.fromEntries(image.config.Env.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
    expect(image.config.User).toBe("1000:1000");
    const printed = execFileSync("/usr/sbin/chroot", ["--userspec=1000:1000", root, "/bin/sh", "-c", script], {
      encoding: "utf8",
      env: { ...env, HOME: "/home/slipway" },
    });
    expect(printed).toBe("first commit\n3.11");
  });

  it.runIf(name === "worker_base")("has Python's own modules compiled, as that Python would", () => {
    // Each module of the standard library: Python takes its bytecode for it, and the source gives the same code.
    const script = `
import importlib.machinery, importlib.util, marshal, pathlib, warnings
warnings.simplefilter("ignore")
count = 0
for path in sorted(pathlib.Path("/usr/lib/python3.11").rglob("*.py")):
    if path.is_symlink():
        continue
    try:
        expected = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError:
        continue
    compiled = pathlib.Path(importlib.util.cache_from_source(str(path))).read_bytes()
    loader = importlib.machinery.SourceFileLoader("module", str(path))
    loader.set_data = lambda *_: (_ for _ in ()).throw(AssertionError(f"{path} was compiled"))
    assert compiled[:4] == importlib.util.MAGIC_NUMBER and compiled[4:8] == b"\\1\\0\\0\\0", path
    assert compiled[8:16] == importlib.util.source_hash(path.read_bytes()), path
    assert loader.get_code("module") == expected, path
    assert marshal.dumps(loader.get_code("module"), 2) == marshal.dumps(expected, 2), path
    count += 1
print(count)`;
    expect(Number(inside(1000, "/usr/bin/python3", "-c", script))).toBeGreaterThan(500);
  });

  it.runIf(name === "worker_base")("has a git that speaks HTTPS", () => {
    // Nothing listens there; what counts is how far it gets before.
    const command = ["/usr/bin/git", "ls-remote", "https://localhost:1/x"];
    const { stderr } = spawnSync("/usr/sbin/chroot", [root, ...command], {
      encoding: "utf8",
      env: { GIT_CURL_VERBOSE: "1" },
    });
    expect(stderr).toMatch(/(Failed to connect to|Couldn't connect to) |Connection refused/);
    expect(stderr).not.toMatch(/certificate|libcurl|not found/i);
  });

  // The slim base has no ldconfig.
  it.runIf(name === "worker_base")("has the cache that its own ldconfig would make", () => {
    const list = () =>
      inside(0, "/sbin/ldconfig", "-p")
        .split("\n")
        .filter((line) => line.startsWith("\t"));
    const ours = list();
    inside(0, "/sbin/ldconfig");
    expect(ours).toEqual(list());
    expect(ours.length).toBeGreaterThan(10);
  });
});
