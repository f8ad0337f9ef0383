import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { folderOfTest, git } from "../../../src/git/testdata/git-repository.ts";
import { FakeRegistry } from "../../../src/registry/client/testdata/fake-registry.ts";
import { SecretWatch } from "../../credentials/testdata/secrets.ts";
import { expectContents, gitHosts, type Name, names, provide, writeExamples } from "../seeds.ts";
import { PodmanUser } from "./machine.ts";

/** A registry for those who know the password. */
async function closedRegistry(username: string, password: string) {
  const registry = await FakeRegistry.start();
  onTestFinished(() => registry.stop());
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  registry.intervene = (request, response) => {
    if (request.headers.authorization === expected) return false;
    request.resume();
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    return true;
  };
  return registry;
}

it("the four examples, unchanged but for what this network does not have, answer, with all that they name in its place", async () => {
  const user = new PodmanUser();
  const { machine } = user;
  const [handlePassword, privatePassword, registryPassword] = [1, 2, 3].map(() => crypto.randomUUID()) as [
    string,
    string,
    string,
  ];
  const watch = new SecretWatch([handlePassword, privatePassword, registryPassword], machine.home, ...user.state);

  const hosts = await gitHosts(user, [handlePassword, privatePassword]);
  user.configure({ authorities: machine.env["GIT_SSL_CAINFO"] });

  // The same image in the embedded registry, and in one that only those read who know the password.
  const push = async (env: Readonly<Record<string, string>> = {}) => {
    const { out, error } = await machine.run("test/services/kubernetes/web_push", [], env);
    if (out === "") throw new Error(error);
    return out.trim();
  };
  const registry = await closedRegistry("robot", registryPassword);
  const docker = folderOfTest();
  const auth = Buffer.from(`robot:${registryPassword}`).toString("base64");
  writeFileSync(join(docker, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const open = await push();
  const closed = await push({ SLIPWAY_REGISTRY: registry.host, DOCKER_CONFIG: docker });

  await watch.while(async () => {
    const login = { host: registry.host, username: "robot", password: registryPassword };
    await provide(user, login, [handlePassword, privatePassword]);
    writeExamples(user, { open, closed }, hosts);
    const created = names.map((name) => `create Container ${name}-0\n`).join("");
    const plan = await user.slipway(["service", "plan", "services"]);
    expect(plan).toMatchObject({ status: 0, out: created });
    const applied = await user.slipway(["service", "apply", "--wait", "services"]);
    expect(applied).toMatchObject({ status: 0, out: created });
    watch.saw("the command line", JSON.stringify([plan, applied]));
    const again = await user.slipway(["service", "apply", "--wait", "services"]);
    expect(again).toEqual({ status: 0, out: "", error: "Nothing to change.\n" });

    const statuses = await user.status();
    expect(statuses.map(({ name, state }) => ({ name, state }))).toEqual(
      names.map((name) => ({ name, state: "ready" })),
    );
    const read = (name: Name, path: string) => user.read(name, path);
    await expectContents(read);
    const [, priv] = hosts.both.repositories;
    const head = git(priv?.folder ?? "", "rev-parse", "HEAD");
    expect(await read("repositories", "/opt/repositories/paperspace-ml/.git/HEAD")).toBe(`${head}\n`);
    // What the sync program needs is not for the service, and nothing that is shared may be changed.
    for (const path of ["/run/slipway", "/volume"]) await expect(read("repositories", path)).rejects.toThrow(/^404/);
    expect(await read("repositories", "/proc/self/mountinfo")).toMatch(/ \/opt\/repositories\/paperspace-ml ro[, ]/);
    expect(await read("repositories", "/proc/self/status")).toMatch(/^CapEff:\t0+\n[\s\S]*^NoNewPrivs:\t1$/m);
    expect((await user.podman("volume", "ls", "--quiet")).split("\n")).toEqual([
      "dataset-ref",
      "dstflhstfexl6w3",
      "slipway-models",
    ]);

    // A new commit and a new version are a change of the two that name them, and old containers keep what they have
    // until then.
    priv?.commit({ "README.md": "newer\n" });
    expect(await user.slipway(["service", "apply", "--wait", "services"])).toMatchObject({
      status: 0,
      out: expect.stringMatching(
        /^change Container repositories-0: folders\.(\/opt\/repositories\/paperspace-ml)\n +folders\.\1: commit [0-9a-f]{40} → [0-9a-f]{40}\n$/,
      ),
      error: expect.stringContaining("repositories-0: podman stops, then starts it."),
    });
    expect(await read("repositories", "/opt/repositories/paperspace-ml/README.md")).toBe("newer\n");

    const containers = await user.podman("ps", "--all", "--quiet");
    watch.saw("podman inspect", await user.podman("inspect", ...containers.split("\n")));
    for (const name of names) watch.saw("logs", JSON.stringify(await user.slipway(["service", "logs", name])));
  });
  expect(watch.commandLines).toBeGreaterThan(0);
  const own = [
    "STATE/slipway/secrets/secret_name",
    "STATE/slipway/secrets/paperspace-github-token",
    "CONFIG/slipway/credentials.json",
  ];
  expect(watch.findings(own.map((path) => join(machine.home, `xdg-${path}`)))).toEqual([]);

  const deleted = await user.slipway(["service", "delete", ...names]);
  expect(deleted).toMatchObject({ status: 0, out: names.map((name) => `delete Container ${name}-0\n`).join("") });
  expect(await user.podman("ps", "--all", "--quiet")).toBe("");
}, 600_000);
