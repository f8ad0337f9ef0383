import { rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeImage } from "./testdata/image.ts";
import { Installed } from "./testdata/installed.ts";
import { password as secret, startGuardedRegistry } from "./testdata/registry.ts";

const user = new Installed([secret]);
const insecure = "--tls-verify=false";
let registry: string;
let image: string;
let passwords: string;

beforeAll(async () => {
  registry = await startGuardedRegistry(user);
  image = `${registry}/team/app:v1`;
  passwords = user.write("two lines.txt", `u\n${secret}\n`);
  user.write(".docker/config.json", JSON.stringify({ credsStore: "slipway" }));
  user.env["CONTAINERS_REGISTRIES_CONF"] = user.write(
    ".config/containers/registries.conf",
    `credential-helpers = ["slipway"]\n[[registry]]\nlocation = "${registry}"\ninsecure = true\n`,
  );
  user.env["CONTAINERS_STORAGE_CONF"] = user.write(
    ".config/containers/storage.conf",
    `[storage]\ndriver = "vfs"\ngraphroot = "${join(user.folder, "graph")}"\nrunroot = "${join(user.folder, "runroot")}"\n`,
  );
  user.write(".config/containers/policy.json", JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  makeImage(join(user.folder, "layout"));
});

const pull = {
  skopeo: () => user.run("skopeo", ["inspect", insecure, `docker://${image}`]),
  podman: () => user.run("podman", ["pull", "--quiet", insecure, image]),
  crane: () => user.run("crane", ["manifest", "--insecure", image]),
};

const add = (...source: string[]) =>
  user.slipway("credentials", "add", "--service", "docker", "--url", registry, ...source);

describe("a registry with passwords", () => {
  it("is pushed to by skopeo with the user name and password of a file", async () => {
    const layout = `oci:${join(user.folder, "layout")}:v1`;
    const push = () => user.run("skopeo", ["copy", "--dest-tls-verify=false", layout, `docker://${image}`]);
    expect((await push()).stderr).toMatch(/unauthorized|authentication required/);
    expect(await add("--file", passwords)).toMatchObject({ status: 0 });
    expect(await push()).toMatchObject({ status: 0 });
  });

  it.each(["skopeo", "podman", "crane"] as const)("is pulled from by %s", async (tool) => {
    const pulled = await pull[tool]();
    expect(pulled, pulled.stderr).toMatchObject({ status: 0 });
    expect(pulled.stdout).toMatch(/[0-9a-f]{64}/);
  });

  it("is tested and explained", async () => {
    expect(await user.slipway("credentials", "test", registry)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`${registry} accepts it`),
    });
    const wrong = user.write("wrong.txt", "u\nfalsch\n");
    await add("--name", "w", "--file", wrong);
    const refused = await user.slipway("credentials", "test", "w");
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/401 .* w: file [\s\S]*\[registry-login\]\n$/),
    });
    expect(refused.stderr).not.toContain("falsch");
    // A login of docker or podman would not replace it.
    expect(refused.stderr).toContain("slipway credentials add");
    expect(refused.stderr).not.toContain("podman login");
    const explained = await user.slipway("credentials", "explain", image);
    expect(explained.stdout).toMatch(/not used +file \S+ lines\.txt .*: a newer one is for the same\nused +w: file/);
    // The settings of the registry count here too.
    const config = user.write(".config/slipway/config.yaml", `registries: {"${registry}": {plainHttp: false}}`);
    expect((await user.slipway("credentials", "test", "w")).stderr).toMatch(/\[registry-tls\]\n$/);
    rmSync(config);
    const mistyped = await user.slipway("credentials", "remove", registry.slice(0, -1));
    expect(mistyped.stderr).toContain(`Did you mean ${registry}?`);
    await user.slipway("credentials", "remove", "w");
  });

  it("says which file is wrong, to every tool", async () => {
    const path = user.write("bad.txt", "u\n");
    await user.slipway("credentials", "remove", registry);
    user.write("bad.txt", "u\nx\n");
    await add("--file", path);
    user.write("bad.txt", "u\n");
    for (const tool of ["skopeo", "crane"] as const) {
      const failed = await pull[tool]();
      expect(failed.status).not.toBe(0);
      expect(failed.stdout + failed.stderr, tool).toMatch(/bad\.txt [\s\S]*\[credential-invalid\]/);
    }
    await user.slipway("credentials", "remove", registry);
  });

  it("is logged in to and out of by crane and podman, whose password Slipway keeps", async () => {
    const store = join(user.env["XDG_CONFIG_HOME"] as string, "slipway/credentials.json");
    const logins = {
      crane: ["auth", "login", registry, "-u", "u", "--password-stdin"],
      podman: ["login", insecure, "-u", "u", "--password-stdin", registry],
    };
    const logouts = { crane: ["auth", "logout", registry], podman: ["logout", registry] };
    for (const tool of ["crane", "podman"] as const) {
      const login = await user.run(tool, logins[tool], { input: secret });
      expect(login, login.stderr).toMatchObject({ status: 0 });
      const listed = await user.slipway("credentials", "list");
      expect(listed.stdout, tool).toBe(`docker  ${registry}  the password of u that Slipway keeps\n`);
      expect(user.watch.findings([passwords, store]), tool).toEqual([]);
      expect(await pull.skopeo()).toMatchObject({ status: 0 });
      const logout = await user.run(tool, logouts[tool]);
      expect(logout, logout.stderr).toMatchObject({ status: 0 });
      expect((await user.slipway("credentials", "list")).stdout, tool).toBe("");
    }
  });

  it("is known to Slipway by podman's login, also where podman chose its file", async () => {
    const { XDG_RUNTIME_DIR, ...env } = user.env;
    user.write(".config/containers/registries.conf", `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`);
    user.write(".docker/config.json", "{}");
    const run = (command: string, ...args: string[]) =>
      user.watch.run("env", ["--unset=XDG_RUNTIME_DIR", command, ...args], { env, input: secret });
    const login = await run("podman", "login", insecure, "-u", "u", "--password-stdin", registry);
    onTestFinished(async () => void (await run("podman", "logout", registry)));
    expect(login, login.stderr).toMatchObject({ status: 0 });
    const explained = await run("slipway", "credentials", "explain", image);
    expect(explained.stdout).toMatch(/^used +\/(run|tmp)\/\S+auth\.json/m);
  });
});

user.keepsSecrets("two lines.txt");
