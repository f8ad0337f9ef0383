import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const runfiles = process.env["TEST_SRCDIR"] ?? "";

describe.each(["slim_base", "worker_base"])("%s", (name) => {
  const root = mkdtempSync(join(tmpdir(), "base-"));
  const path = (...parts: string[]) => join(root, ...parts);
  const inside = (user: number, ...command: string[]) =>
    execFileSync("/usr/sbin/chroot", [`--userspec=${user}:${user}`, root, ...command], {
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin" },
    });

  beforeAll(() => {
    chmodSync(root, 0o755);
    const [layer, ...more] = globSync(`*${name}_*/image/layer.tar*`, { cwd: runfiles });
    expect(more).toEqual([]);
    execFileSync("tar", ["-xpf", join(runfiles, layer ?? name), "-C", root, "--same-owner", "--numeric-owner"]);
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
