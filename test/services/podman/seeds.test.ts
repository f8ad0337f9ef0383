import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { folderOfTest, git, repositoryOfTest } from "../../../src/deployment/testdata/git-repository.ts";
import { gitServerOfTest } from "../../../src/deployment/testdata/git-server.ts";
import { FakeRegistry } from "../../../src/registry/client/testdata/fake-registry.ts";
import { SecretWatch } from "../../credentials/testdata/secrets.ts";
import { PodmanUser } from "./machine.ts";

const names = ["everything", "model", "private-registry", "repositories"] as const;

/** A git server with repositories by their paths. */
async function gitHost(files: Readonly<Record<string, string>>, username: string, password: string, wanted: string) {
  const root = folderOfTest();
  const repositories = Object.entries(files).map(([path, content]) => {
    mkdirSync(join(root, path), { recursive: true });
    const repository = repositoryOfTest(join(root, path));
    repository.commit({ "README.md": content });
    return repository;
  });
  return { ...(await gitServerOfTest(root, { username, password, wanted })), repositories };
}

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

  const serving = { "tensorflow/serving.git": "serving\n" };
  const handle = await gitHost(serving, "example", handlePassword, "/tensorflow/");
  const both = await gitHost(
    { ...serving, "paperspace/ml-private.git": "private\n" },
    "paperspace-user",
    privatePassword,
    "/paperspace/",
  );
  const authorities = [handle, both].map(({ certificate }) => readFileSync(certificate, "utf8")).join("");
  machine.write({ "authorities.pem": authorities });
  machine.env["GIT_SSL_CAINFO"] = join(machine.home, "authorities.pem");
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
    for (const name of ["container-registry-name", "dockerhub-prod"]) {
      const where = ["--service", "docker", "--url", registry.host, "--name", name, "--username", "robot"];
      const added = await user.slipway(["credentials", "add", ...where, "--password-stdin"], registryPassword);
      expect(added).toMatchObject({ status: 0 });
    }
    for (const [id, content] of [
      ["model-handle", "a handle\n"],
      ["model-id", "an id\n"],
    ] as const) {
      machine.write({ [`${id}/saved_model.pb`]: content });
      expect(await user.slipway(["model", "push", id, id])).toMatchObject({ status: 0 });
    }
    expect(await user.slipway(["secret", "set", "secret_name"], `${handlePassword}\n`)).toMatchObject({ status: 0 });
    const set = await user.slipway(["secret", "set", "paperspace-github-token"], privatePassword);
    expect(set).toMatchObject({ status: 0 });

    for (const name of names) {
      const text = readFileSync(`examples/services/${name}.yaml`, "utf8");
      const image = text.includes("containerRegistry: ") ? closed : open;
      const server = name === "everything" ? handle : both;
      const spec = text.replace(/^image: \S+/m, `image: ${image}`).replaceAll("https://github.com", server.url);
      const lines = text.split("\n");
      const changed = spec.split("\n").filter((line, index) => line !== lines[index]);
      for (const line of changed) expect(line).toMatch(/^image: |^ +- url: /);
      machine.write({ [`services/${name}.yaml`]: spec });
    }
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
    const read = (name: (typeof names)[number], path: string) => user.read(name, path);
    expect(await read("everything", "/opt/models/saved_model.pb")).toBe("a handle\n");
    expect(await read("everything", "/opt/repos/tf-serving/README.md")).toBe("serving\n");
    expect((await read("everything", "/proc/self/environ")).split("\0")).toContain("ENV=VAR");
    expect((await read("everything", "/proc/self/cmdline")).split("\0").filter(Boolean).at(-1)).toBe("command");
    for (const name of ["model", "private-registry"] as const) {
      expect(JSON.parse(await read(name, "/opt/models"))).toEqual(["saved_model.pb"]);
      expect(await read(name, "/opt/models/saved_model.pb")).toBe("an id\n");
      const variables = (await read(name, "/proc/self/environ")).split("\0");
      expect(variables).toEqual(expect.arrayContaining(["MODEL_BASE_PATH=/opt/models", "MODEL_NAME=my-tf-model"]));
    }
    expect(await read("repositories", "/opt/repositories/tf-serving/README.md")).toBe("serving\n");
    expect(await read("repositories", "/opt/repositories/paperspace-ml/README.md")).toBe("private\n");
    const [, priv] = both.repositories;
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

    // A new commit and a new version are a change of the two that name them, and old containers keep what they have until then.
    priv?.commit({ "README.md": "newer\n" });
    expect(await user.slipway(["service", "apply", "--wait", "services"])).toMatchObject({
      status: 0,
      out: "change Container repositories-0: folders./opt/repositories/paperspace-ml\n",
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
