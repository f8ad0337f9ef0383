import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest, git, repositoryOfTest } from "../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../src/git/testdata/git-server.ts";
import { localCode } from "../../src/jobs/code.ts";
import { placeCode } from "../../src/jobs/place-code.ts";
import type { RunnableImage } from "../../src/oci/runnable-image.ts";
import { findEmbeddedRegistry } from "../../src/registry-server/ensure.ts";
import { SecretWatch } from "../credentials/testdata/secrets.ts";
import { shellImage } from "./testdata/image.ts";
import { kubectl } from "./testdata/kubectl.ts";
import { inPasswordRegistry } from "./testdata/registries.ts";
import { firstWords, nameOf, outputOf, ShellUser, submitted, textOf } from "./testdata/shell.ts";

/** Everything that a cluster tells of a namespace, but its secrets. */
const everything =
  "jobs,pods,configmaps,events,services,endpoints,replicationcontrollers,deployments.apps,replicasets.apps,serviceaccounts,controllerrevisions.apps,leases.coordination.k8s.io";

it("are in the Secret that was made for them alone, and go with the job", async () => {
  const user = await ShellUser.make();
  const { namespace } = user;
  const random = () => crypto.randomUUID().replaceAll("-", "");
  const password = random();
  const variable = random();
  const login = { username: "robot", password };
  const image = await inPasswordRegistry(shellImage(), login);
  const [registry = ""] = image.split("/");
  const file = namespace.logIn(registry, login);

  const watch = new SecretWatch([password, variable], namespace.home);
  const env = { ...namespace.env, SLIPWAY_COPY_CREDENTIALS: "1" };
  const engine = user.engine(env);
  const script = 'printf %s "$SECRET" | wc -c; until [ -e /tmp/enough ]; do sleep 0.1; done';
  await watch.while(async () => {
    const id = await engine.submit(user.program(script, { image, env: { SECRET: variable } }));
    const name = nameOf(id);
    expect(await firstWords(engine, id)).toBe(`${variable.length}\n`);

    for (const format of ["yaml", "json"]) {
      watch.saw(`objects (${format})`, await namespace.kubectl("get", everything, `--output=${format}`));
    }
    watch.saw("kubectl describe", await namespace.kubectl("describe", "jobs,pods"));
    watch.saw("nodes", await kubectl(["get", "nodes", "--output=json"]));
    // That it is nowhere else would say little if it were not there.
    const { items } = await namespace.ask("get", "secrets");
    const holders = (secret: string) =>
      items.flatMap(({ metadata, data }: { metadata: { name: string }; data: Record<string, string> }) =>
        Object.values(data).some((value) => Buffer.from(value, "base64").includes(secret)) ? [metadata.name] : [],
      );
    expect(holders(password)).toEqual([`${name}-pull`]);
    expect(holders(variable)).toEqual([`${name}-input`]);
    for (const { metadata } of items) expect(metadata.ownerReferences).toMatchObject([{ kind: "Job", name }]);

    watch.saw("status", JSON.stringify([await engine.status(id), await engine.list()]));
    const output = outputOf(user.client("collect", id, env));
    await namespace.kubectl("exec", `job/${name}`, "--", "touch", "/tmp/enough");
    const { status, stdout, stderr } = await output;
    expect(status).toBe(0);
    watch.saw("a client", stdout + stderr);
    watch.saw("the log", await textOf(engine, id));
    watch.saw("objects at the end", await namespace.kubectl("get", everything, "--output=json"));
    await namespace.kubectl("delete", "job", name);
    await namespace.empty();
  });
  watch.saw("notices", user.notices.join("\n"));
  expect(watch.commandLines).toBeGreaterThan(0);
  expect(watch.findings([file])).toEqual([]);
});

it("of git servers never reach the cluster, whose pods have the code", async () => {
  const user = await ShellUser.make();
  const { namespace } = user;
  const password = crypto.randomUUID().replaceAll("-", "");
  const root = folderOfTest();
  git(root, "init", "--quiet", "app.git");
  const repository = repositoryOfTest(join(root, "app.git"));
  const commit = repository.commit({ "words.txt": "from git\n" });
  const server = await gitServerOfTest(root, { password });
  const access = {
    env: { PATH: process.env["PATH"], GIT_SSL_CAINFO: server.certificate },
    findPassword: async () => ({ username: "me", password, source: "a test" }),
  };
  const watch = new SecretWatch([password], namespace.home);
  await watch.while(async () => {
    const url = `${server.url}/app.git/.git`;
    const code = { GitRepoCommit: { repo_url: url, commit, path_to_source: "" } };
    const local = await localCode(code, root, { git: access, env: namespace.env });
    expect(server.requests.some((request) => request.endsWith("with a password"))).toBe(true);
    const embedded = async () => {
      const found = await findEmbeddedRegistry({ env: namespace.env });
      if (!found) throw new Error("the registry is gone");
      return found;
    };
    const { image, folders } = await placeCode(user.image as RunnableImage, local, {
      canMount: false,
      env: namespace.env,
      embedded,
    });
    const [cwd = ""] = folders;
    const engine = user.engine();
    const id = await engine.submit({ ...user.program("cat words.txt; find /slipway", { image }), cwd });
    const text = await textOf(engine, id);
    expect(text).toMatch(/^from git\n/);
    // What git keeps beside a checkout may have the server's address in it.
    expect(text).not.toMatch(/\.git/);
    watch.saw("the log", text);
    for (const kinds of [everything, "secrets"]) {
      const { items } = await namespace.ask("get", kinds);
      watch.saw(kinds, JSON.stringify(items));
    }
  });
  expect(watch.commandLines).toBeGreaterThan(0);
  expect(watch.findings([])).toEqual([]);
});

it("of this machine stay on it unless they are asked for", async () => {
  const user = await ShellUser.make();
  const { namespace } = user;
  const login = { username: "robot", password: crypto.randomUUID().replaceAll("-", "") };
  const image = await inPasswordRegistry(shellImage(), login);
  namespace.logIn(image.split("/", 1)[0] ?? "", login);
  const engine = user.engine();
  const id = await engine.submit(user.program("true", { image }));
  expect((await namespace.names()).filter((name) => name.startsWith("Secret/"))).toEqual([]);
  expect((await engine.collect(id)).status.reason).toMatch(/wants a credential/);
});

it("that pull from the embedded registry are short-lived and for one repository", async () => {
  const { user, engine, id } = await submitted("echo one; until [ -e /tmp/enough ]; do sleep 0.1; done");
  await firstWords(engine, id);
  const secret = await user.namespace.ask("get", "secret", `${nameOf(id)}-pull`);
  const config = JSON.parse(Buffer.from(secret["data"][".dockerconfigjson"], "base64").toString());
  const [registry = ""] = user.image.split("/");
  const { username, password } = config.auths[`${registry}/test/shell`];
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const look = async (method: string, path: string) =>
    (await fetch(`http://${registry}/v2/${path}`, { method, headers: { authorization } })).status;
  expect(await look("HEAD", `test/shell/manifests/${user.image.split("@")[1]}`)).toBe(200);
  expect(await look("POST", "test/shell/blobs/uploads/")).toBeGreaterThanOrEqual(401);
  expect(await look("GET", "test/other/tags/list")).toBeGreaterThanOrEqual(401);
  await engine.cancel(id);
  await user.namespace.empty();
});
