import { join } from "node:path";
import { expect, it } from "vitest";
import { expectContents, gitHosts, names, provide, writeExamples } from "../seeds.ts";
import { kubectl, ServiceUser } from "./machine.ts";
import { PodRegistry } from "./registry.ts";

it("the four examples, unchanged but for what this network does not have, answer, with all that they name in its place", async () => {
  const user = await ServiceUser.make();
  const { machine, address } = user;
  const passwords = [crypto.randomUUID(), crypto.randomUUID()] as const;
  const hosts = await gitHosts(user, passwords, address);
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
  await provide(user, { host: registry.registry.host, username, password }, passwords);
  writeExamples(user, { open, closed }, hosts);
  expect(await user.slipway(["service", "apply", "--wait", "services"])).toMatchObject({ status: 0 });
  const pods = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await user.ready(name))[0]] as const)),
  );
  await expectContents((name, path) => {
    const pod = pods[name];
    if (!pod) throw new Error(`no pod of ${name}`);
    return user.read(pod, path, name === "everything" ? 8080 : 8501);
  });

  // Only with the credential that the service names: the image is nowhere else on the node.
  const closedPod = JSON.parse(await user.kubectl("get", "deployment", "private-registry", "--output=json"));
  expect(closedPod.spec.template.spec.imagePullSecrets).toContainEqual({ name: "private-registry-pull" });
  expect(await user.slipway(["service", "apply", "services"])).toMatchObject({ status: 0, out: "" });
  expect(await kubectl("get", "deployments", `--namespace=${user.namespace}`, "--output=name")).toBe(
    names.map((name) => `deployment.apps/${name}\n`).join(""),
  );
}, 600_000);
