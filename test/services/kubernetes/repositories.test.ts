import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest, git, repositoryOfTest } from "../../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../../src/git/testdata/git-server.ts";
import { SecretWatch } from "../../credentials/testdata/secrets.ts";
import { ServiceUser, waitUntil } from "./machine.ts";

const dataset = "dstflhstfexl6w3";
const secret = "paperspace-github-token";

/** Everything that a cluster tells of a namespace, but its secrets. */
const everything =
  "pods,deployments.apps,replicasets.apps,configmaps,events,services,endpointslices,serviceaccounts,persistentvolumeclaims,leases";

/**
 * A git server with a public and a private repository, whose certificate only those trust who were told to, and the
 * example with two repositories,
 * unchanged apart from image and server.
 */
async function example(user: ServiceUser) {
  const root = folderOfTest();
  const made = ["tensorflow/serving.git", "paperspace/ml-private.git"].map((path) => {
    mkdirSync(join(root, path), { recursive: true });
    return repositoryOfTest(join(root, path));
  });
  const [serving, priv] = made as [(typeof made)[number], (typeof made)[number]];
  serving.commit({ "README.md": "public\n", "a/b.txt": "deep\n" });
  priv.commit({ "model.py": "first\n" });
  const password = crypto.randomUUID();
  const server = await gitServerOfTest(root, {
    address: user.address,
    username: "paperspace-user",
    password,
    wanted: "/paperspace/",
  });
  user.machine.env["GIT_SSL_CAINFO"] = server.certificate;
  await user.configure({ authorities: server.certificate });
  const text = readFileSync("examples/services/repositories.yaml", "utf8");
  const web = text.replace("image: ubuntu:20.04", `image: ${await user.image()}`);
  const spec = web.replaceAll("https://github.com", server.url);
  user.machine.write({ "repos.yaml": spec });
  return { serving, priv, password, server, spec };
}

const created = expect.stringContaining("create Deployment repos\n");

it("are where the spec says, a private one among them, and its password is nowhere else", async () => {
  const user = await ServiceUser.make();
  const { password, server, serving, priv } = await example(user);
  const volume = await user.claim(dataset);
  const watch = new SecretWatch([password], volume, user.machine.home);
  await watch.while(async () => {
    expect(await user.slipway(["secret", "set", secret], `${password}\n`)).toMatchObject({ status: 0, out: "" });
    const plan = await user.slipway(["service", "plan", "repos.yaml"]);
    expect(plan).toMatchObject({ status: 0, out: created });
    const applied = await user.slipway(["service", "apply", "repos.yaml"]);
    expect(applied).toMatchObject({ status: 0, out: created });
    const [pod] = await user.ready("repos");
    expect(JSON.parse(await user.read(pod, "/opt/repositories"))).toEqual(["paperspace-ml", "tf-serving"]);
    expect(JSON.parse(await user.read(pod, "/opt/repositories/tf-serving"))).toEqual([".git", "README.md", "a"]);
    expect(await user.read(pod, "/opt/repositories/tf-serving/a/b.txt")).toBe("deep\n");
    expect(await user.read(pod, "/opt/repositories/paperspace-ml/model.py")).toBe("first\n");
    for (const [name, repository] of [
      ["tf-serving", serving],
      ["paperspace-ml", priv],
    ] as const) {
      const head = git(repository.folder, "rev-parse", "HEAD");
      expect(await user.read(pod, `/opt/repositories/${name}/.git/HEAD`)).toBe(`${head}\n`);
      const config = await user.read(pod, `/opt/repositories/${name}/.git/config`);
      expect(config).toContain(`url = ${server.url}/`);
      watch.saw(`.git/config of ${name}`, config);
    }
    // What the sync program needs is not for the service.
    for (const path of ["/run/slipway", "/volume"]) await expect(user.read(pod, path)).rejects.toThrow(/^404/);
    const write = user.kubectl(
      "exec",
      pod.metadata.name,
      "--container=main",
      "--",
      "touch",
      "/opt/repositories/tf-serving/x",
    );
    await expect(write).rejects.toThrow(/Read-only file system/);

    expect(await user.slipway(["service", "apply", "repos.yaml"])).toMatchObject({
      status: 0,
      out: "",
      error: "Nothing to change.\n",
    });
    for (const format of ["yaml", "json"]) {
      watch.saw(`objects (${format})`, await user.kubectl("get", everything, `--output=${format}`));
    }
    watch.saw("kubectl describe", await user.kubectl("describe", "pods,deployments"));
    watch.saw("logs", await user.kubectl("logs", pod.metadata.name, "--all-containers"));
    const listed = await user.slipway(["secret", "ls"]);
    expect(listed.out).toMatch(new RegExp(`^${secret} `));
    watch.saw("the command line", JSON.stringify([plan, applied, listed]));
    const diff = await user.slipway(["service", "render", "repos.yaml"]);
    watch.saw("manifests", JSON.stringify(diff));
  }, true);
  expect(server.requests.some((request) => request.endsWith("with a password"))).toBe(true);
  expect(watch.commandLines).toBeGreaterThan(0);
  expect(watch.environments).toBeGreaterThan(0);
  expect(watch.files().length).toBeGreaterThan(10);
  expect(watch.findings([])).toEqual([]);
}, 600_000);

it("stay as they were for pods that start again and for more of them, until they are applied again", async () => {
  const user = await ServiceUser.make();
  const { password, server, serving, spec } = await example(user);
  await user.claim(dataset);
  await user.slipway(["secret", "set", secret], password);
  user.machine.write({ "repos.yaml": spec.replace("replicas: 1", "replicas: 2") });
  expect(await user.slipway(["service", "apply", "repos.yaml"])).toMatchObject({ status: 0, out: created });
  const file = "/opt/repositories/tf-serving/README.md";
  const both = await user.ready("repos");
  expect(await Promise.all(both.map((pod) => user.read(pod, file)))).toEqual(["public\n", "public\n"]);
  // Once for each repository, whoever was first.
  const fetches = () => server.requests.filter((request) => request.startsWith("POST")).length;
  const afterFirst = fetches();
  const asked = server.requests.length;

  serving.commit({ "README.md": "moved\n" });
  const before = both.map(({ metadata }) => metadata.name);
  await user.kubectl("delete", "pod", ...before, "--wait=false");
  const anew = await waitUntil(
    () => user.pods("repos"),
    (pods) => pods.length === 2 && pods.every(({ metadata }) => !before.includes(metadata.name)),
  ).then(() => user.ready("repos"));
  expect(await Promise.all(anew.map((pod) => user.read(pod, file)))).toEqual(["public\n", "public\n"]);
  expect(server.requests).toHaveLength(asked);
  expect(afterFirst).toBe(fetches());

  const plan = await user.slipway(["service", "plan", "repos.yaml"]);
  expect(plan.out).toMatch(/^change Deployment repos: spec\.template\.spec\.containers\[0\]\.volumeMounts/);
  expect(await user.slipway(["service", "apply", "repos.yaml"])).toMatchObject({ status: 0, out: plan.out });
  const moved = await user.ready("repos");
  expect(await Promise.all(moved.map((pod) => user.read(pod, file)))).toEqual(["moved\n", "moved\n"]);
}, 600_000);

it("with a password that is wrong say so, without it, and go on once it is right", async () => {
  const user = await ServiceUser.make();
  const { password, server } = await example(user);
  await user.claim(dataset);
  const wrong = crypto.randomUUID();
  await user.slipway(["secret", "set", secret], wrong);
  const refused = await user.slipway(["service", "apply", "repos.yaml"]);
  expect(refused.status).toBe(2);
  expect(refused.error).toMatch(
    new RegExp(`secret ${secret} in namespace ${user.namespace} of cluster [\\s\\S]*\\[git-login\\]\n$`),
  );
  // Who has a password of their own asks with that; the pod has the other one.
  const add = [
    "credentials",
    "add",
    "--service",
    "git",
    "--url",
    server.url,
    "--username",
    "paperspace-user",
    "--password-stdin",
  ];
  expect(await user.slipway(add, password)).toMatchObject({ status: 0 });
  expect(await user.slipway(["service", "apply", "repos.yaml"])).toMatchObject({ status: 0, out: created });
  const says = `The git server refused the password from secret ${secret} for ${server.url}/paperspace/ml-private.git while fetching commit`;
  // The log is of the latest try, which may have begun a moment ago.
  const log = await waitUntil(
    () => user.kubectl("logs", "deployment/repos", "--container=sync-repositories").catch(() => ""),
    (text) => text.includes(says),
  );
  // While it tries again, nothing is wrong yet.
  const status = await waitUntil(
    () => user.slipway(["service", "status", "repos"]),
    ({ out, error }) => (out + error).includes(says),
  );
  const pods = await user.kubectl("get", "pods", "--output=json");
  for (const text of [refused.error, log, pods, JSON.stringify(status)]) {
    expect(text).not.toContain(wrong);
    expect(text).not.toContain(password);
  }
  await user.slipway(["secret", "set", secret], password);
  // A new pod need not wait until its node looks at the secret again.
  await user.kubectl("delete", "pods", "--all", "--wait=false");
  await waitUntil(
    () => user.pods("repos"),
    (found) => found.length === 1,
  );
  const [pod] = await user.ready("repos");
  expect(await user.read(pod, "/opt/repositories/paperspace-ml/model.py")).toBe("first\n");
}, 600_000);

it("without their claim or their secret are refused before anything is made, with what to do", async () => {
  const user = await ServiceUser.make();
  const { password, spec } = await example(user);
  const place = expect.stringContaining(`in namespace ${user.namespace} of cluster `);
  const objects = () => user.kubectl("get", "pods,deployments,services", "--output=name");
  for (const command of ["plan", "apply"]) {
    const missing = await user.slipway(["service", command, "repos.yaml"]);
    expect(missing).toEqual({ out: "", error: place, status: 2 });
    expect(missing.error).toMatch(
      /^repos\.yaml:7:12: repositories\.dataset .*\n.*PersistentVolumeClaim dstflhstfexl6w3 .* \[field-invalid\]\n$/,
    );
  }
  const volume = await user.claim(dataset);
  for (const command of ["plan", "apply"]) {
    const missing = await user.slipway(["service", command, "repos.yaml"]);
    expect(missing).toEqual({ out: "", error: place, status: 2 });
    expect(missing.error).toMatch(
      /^repos\.yaml:15:17: repositories\.repositories\[1\]\.password .*\n.*`slipway secret set paperspace-github-token`.* \[secret-not-found\]\n$/,
    );
  }
  expect(await objects()).toBe("");
  expect(readdirSync(volume)).toEqual([]);

  // A secret that is removed later is missed by those who have to clone.
  await user.slipway(["secret", "set", secret], password);
  user.machine.write({
    "repos.yaml": spec.replace("replicas: 1", "replicas: 1").replace("port: 8501", "port: 8501\nenabled: false"),
  });
  expect(await user.slipway(["service", "apply", "repos.yaml"])).toMatchObject({ status: 0, out: created });
  await user.slipway(["secret", "rm", secret]);
  await user.kubectl("scale", "deployment/repos", "--replicas=1");
  const says = `There is no secret ${secret}, the password for `;
  await waitUntil(
    () => user.kubectl("logs", "deployment/repos", "--container=sync-repositories").catch(() => ""),
    (log) => log.includes(says) && log.includes(`Set it: \`slipway secret set ${secret}\`.`),
  );
}, 600_000);
