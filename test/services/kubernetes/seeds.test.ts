import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest, repositoryOfTest } from "../../../src/deployment/testdata/git-repository.ts";
import { gitServerOfTest } from "../../../src/deployment/testdata/git-server.ts";
import { kubectl, ServiceUser } from "./machine.ts";
import { PodRegistry } from "./registry.ts";

const names = ["everything", "model", "private-registry", "repositories"] as const;

/** A git server with repositories by their paths. */
async function gitHost(
  address: string,
  repositories: Readonly<Record<string, string>>,
  login: { readonly username: string; readonly password: string; readonly wanted: string },
) {
  const root = folderOfTest();
  for (const [path, content] of Object.entries(repositories)) {
    mkdirSync(join(root, path), { recursive: true });
    repositoryOfTest(join(root, path)).commit({ "README.md": content });
  }
  return gitServerOfTest(root, { address, ...login });
}

it("the four examples, unchanged but for what this network does not have, answer, with all that they name in its place", async () => {
  const user = await ServiceUser.make();
  const { machine, address } = user;
  const passwords = [crypto.randomUUID(), crypto.randomUUID()] as const;
  const serving = { "tensorflow/serving.git": "serving\n" };
  const [handle, both] = [
    await gitHost(address, serving, { username: "example", password: passwords[0], wanted: "/tensorflow/" }),
    await gitHost(
      address,
      { ...serving, "paperspace/ml-private.git": "private\n" },
      { username: "paperspace-user", password: passwords[1], wanted: "/paperspace/" },
    ),
  ];
  const authorities = [handle, both].map(({ certificate }) => readFileSync(certificate, "utf8")).join("");
  machine.write({ "authorities.pem": authorities });
  machine.env["GIT_SSL_CAINFO"] = join(machine.home, "authorities.pem");
  const registry = await PodRegistry.start(address);
  await user.configure({ authorities: machine.env["GIT_SSL_CAINFO"] }, { [registry.host]: { plainHttp: true } });
  for (const claim of ["dataset-ref", "dstflhstfexl6w3"]) await user.claim(claim);

  // An image that everybody on this machine gets, and one for those who know the password.
  const open = await user.image();
  const { out: sync } = await machine.run("bazel/private/service/sync_push", []);
  const { username, password } = registry.login;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const auths = Object.fromEntries([registry.host, registry.registry.host].map((host) => [host, { auth }]));
  machine.write({ "docker/config.json": JSON.stringify({ auths }) });
  Object.assign(machine.env, {
    DOCKER_CONFIG: join(machine.home, "docker"),
    SLIPWAY_COPY_CREDENTIALS: "1",
    SLIPWAY_SYNC_IMAGE: sync.trim(),
  });
  const closed = await user.image({ SLIPWAY_REGISTRY: registry.registry.host });
  machine.env["SLIPWAY_REGISTRY"] = registry.host;
  for (const name of ["container-registry-name", "dockerhub-prod"]) {
    const where = ["--service", "docker", "--url", registry.registry.host, "--name", name, "--username", username];
    expect(await user.slipway(["credentials", "add", ...where, "--password-stdin"], password)).toMatchObject({
      status: 0,
    });
  }

  for (const [id, text] of [
    ["model-handle", "a handle\n"],
    ["model-id", "an id\n"],
  ] as const) {
    machine.write({ [`${id}/saved_model.pb`]: text });
    expect(await user.slipway(["model", "push", id, id])).toMatchObject({ status: 0 });
  }
  expect(await user.slipway(["secret", "set", "secret_name"], `${passwords[0]}\n`)).toMatchObject({ status: 0 });
  expect(await user.slipway(["secret", "set", "paperspace-github-token"], passwords[1])).toMatchObject({ status: 0 });

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
  expect(await user.slipway(["service", "apply", "--wait", "services"])).toMatchObject({ status: 0 });
  const pods = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await user.ready(name))[0]] as const)),
  );
  const read = (name: (typeof names)[number], path: string) => {
    const pod = pods[name];
    if (!pod) throw new Error(`no pod of ${name}`);
    return user.read(pod, path, name === "everything" ? 8080 : 8501);
  };

  expect(await read("everything", "/opt/models/saved_model.pb")).toBe("a handle\n");
  expect(await read("everything", "/opt/repos/tf-serving/README.md")).toBe("serving\n");
  expect((await read("everything", "/proc/self/environ")).split("\0")).toContain("ENV=VAR");
  expect((await read("everything", "/proc/self/cmdline")).split("\0").filter(Boolean).at(-1)).toBe("command");
  for (const name of ["model", "private-registry"] as const) {
    expect(await read(name, "/opt/models/saved_model.pb")).toBe("an id\n");
    const variables = (await read(name, "/proc/self/environ")).split("\0");
    expect(variables).toEqual(expect.arrayContaining(["MODEL_BASE_PATH=/opt/models", "MODEL_NAME=my-tf-model"]));
  }
  expect(await read("repositories", "/opt/repositories/tf-serving/README.md")).toBe("serving\n");
  expect(await read("repositories", "/opt/repositories/paperspace-ml/README.md")).toBe("private\n");

  // Only with the credential that the service names: the image is nowhere else on the node.
  const closedPod = JSON.parse(await user.kubectl("get", "deployment", "private-registry", "--output=json"));
  expect(closedPod.spec.template.spec.imagePullSecrets).toContainEqual({ name: "private-registry-pull" });
  expect(await user.slipway(["service", "apply", "services"])).toMatchObject({ status: 0, out: "" });
  expect(await kubectl("get", "deployments", `--namespace=${user.namespace}`, "--output=name")).toBe(
    names.map((name) => `deployment.apps/${name}\n`).join(""),
  );
}, 600_000);
