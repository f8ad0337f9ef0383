import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry } from "./registry.ts";
import { command, scratchFolder, Workspace } from "./workspace.ts";

const workspace = new Workspace("container");
const registry = new Registry(workspace);
/** Containers wherever they are to be had, as for a user who has set nothing. */
const env = { SLIPWAY_ENGINE: undefined };

let stdout = "";
let reference = "";

beforeAll(async () => {
  stdout = await workspace.stdout(["run", "//examples/quickstart:report"], { env });
  reference = /^image: (\S+)$/m.exec(stdout)?.[1] ?? "";
});
afterAll(() => registry.stop());

describe("the quickstart where podman is", () => {
  it("computes its result inside the containers of its images", () => {
    expect(reference).toMatch(/^localhost:\d+\/examples\/quickstart@sha256:[0-9a-f]{64}$/);
    expect(stdout).toMatch(/^summarized in: [0-9a-f]{12}, Debian GNU\/Linux 12 .*, user slipway \(1000\), Node 24/m);
    expect(stdout).toMatch(/^fitted in: [0-9a-f]{12}, Debian GNU\/Linux 12 /m);
  });

  it("says where it ran, and computes the same, in processes of this machine", async () => {
    const inProcess = await workspace.stdout(["run", "//examples/quickstart:report"]);
    const result = (text: string) => text.slice(text.indexOf("\n\n"));
    expect(result(inProcess)).toBe(result(stdout));
    expect(result(stdout)).toContain("container ships at berth");
  });

  it("needs no request to the registry but those of its images when nothing has changed", async () => {
    const requests = await registry.requestsDuring(() =>
      workspace.stdout(["run", "//examples/quickstart:report"], { env }),
    );
    const pulls = requests.filter(({ transport }) => transport === "tcp");
    expect(pulls.filter(({ path }) => path.includes("/blobs/"))).toEqual([]);
    const ours = requests.filter(({ transport, path }) => transport === "socket" && path.startsWith("/v2/"));
    expect(ours.map(({ method }) => method)).toEqual(["HEAD", "HEAD"]);
  });

  it("prints an image that skopeo and crane take, with a token and not without", async () => {
    const token = (
      await workspace.stdout(["run", "//:slipway", "--", "registry", "token", "examples/quickstart"])
    ).trim();
    const insecure = "--tls-verify=false";
    const inspect = ["skopeo", "inspect", insecure, `docker://${reference}`];
    const inspected = await command([...inspect, "--creds", `token:${token}`], workspace.env);
    expect(inspected.status, inspected.stderr).toBe(0);
    expect((JSON.parse(inspected.stdout) as { Digest: string }).Digest).toBe(reference.split("@")[1]);
    expect((await command([...inspect, "--no-creds"], workspace.env)).stderr).toMatch(
      /unauthorized|authentication required/,
    );

    const registryHost = reference.split("/")[0] ?? "";
    const anonymous = await command(["crane", "manifest", "--insecure", reference], workspace.env);
    expect(anonymous.status).not.toBe(0);
    const login = await command(["crane", "auth", "login", registryHost, "-u", "token", "-p", token], workspace.env);
    expect(login.status, login.stderr).toBe(0);
    const manifest = await command(["crane", "manifest", "--insecure", reference], workspace.env);
    expect(manifest.status, manifest.stderr).toBe(0);
    expect((JSON.parse(manifest.stdout) as { layers: unknown[] }).layers).toHaveLength(6);
    const validated = await command(["crane", "validate", "--insecure", "--remote", reference], workspace.env);
    expect(`${validated.stdout}${validated.stderr}`).toMatch(/PASS/);
    expect(validated.status).toBe(0);
  });

  it("shows the registry's token to nobody: not in arguments, environment, output or logs", async () => {
    // A podman that writes down how it was called before it becomes the real one.
    const folder = join(scratchFolder(), "spy");
    mkdirSync(folder, { recursive: true });
    const [seen, logins] = [join(folder, "seen"), join(folder, "logins")];
    const real = (await command(["sh", "-c", "command -v podman"], workspace.env)).stdout.trim();
    writeFileSync(
      join(folder, "podman"),
      `#!/bin/sh
{ printf '%s\\n' "$@"; env; } >>${seen}
for word; do
  # One line in one write: two are started at once.
  case $word in --authfile=*) printf '%s %s\\n' "$(stat -c %a "\${word#*=}")" "$(tr -d '\\n' <"\${word#*=}")" >>${logins} ;; esac
done
exec ${real} "$@"
`,
    );
    chmodSync(join(folder, "podman"), 0o755);
    const spying = { ...env, PATH: `${folder}:${process.env["PATH"]}` };
    const { status, stdout, stderr } = await workspace.bazel(["run", "//examples/quickstart:report"], { env: spying });
    expect(status, stderr).toBe(0);

    const [, mode, login = ""] = /^(\d+) (.*)$/m.exec(readFileSync(logins, "utf8")) ?? [];
    expect(mode).toBe("600");
    const { auths } = JSON.parse(login) as { auths: Record<string, { auth: string }> };
    const auth = auths[reference.split("/")[0] ?? ""]?.auth ?? "";
    const token = Buffer.from(auth, "base64")
      .toString()
      .replace(/^token:/, "");
    expect(token.length).toBeGreaterThan(40);
    const logs = [registry.paths.requests, registry.paths.log].map((path) => readFileSync(path, "utf8"));
    const everything = [readFileSync(seen, "utf8"), stdout, stderr, ...logs].join("\n");
    expect(everything).toContain("examples/quickstart");
    // Tokens begin alike, so this finds those of other runs too.
    for (const secret of [auth, token, token.slice(0, 30)]) expect(everything.includes(secret)).toBe(false);
  });
});
