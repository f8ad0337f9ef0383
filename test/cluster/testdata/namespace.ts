import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import { ask, type KubernetesObject, kubectl, until } from "./kubectl.ts";

/** What a user may do: an entry of `rules` of a Role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const everything: Rule = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };

/** What Slipway makes in a cluster, or what is made of it. */
const kinds = "jobs,pods,secrets,configmaps";

/**
 * A namespace of a test's own, with a user who has rights in it alone. Gone, with all that is in it, when the test
 * ends.
 */
export class TestNamespace {
  readonly name: string;
  /** Everything of the user's on this machine. */
  readonly home: string;
  /** The user's environment: the kubeconfig, its namespace, state and configuration in `home`. */
  readonly env: Record<string, string>;
  readonly #token: string;
  readonly #cluster: KubernetesObject;

  private constructor(name: string, token: string, cluster: KubernetesObject) {
    this.name = name;
    this.home = temporaryFolder();
    this.#token = token;
    this.#cluster = cluster;
    mkdirSync(join(this.home, "config/slipway"), { recursive: true });
    // The machine part says that the node is this machine.
    writeFileSync(
      join(this.home, "config/slipway/config.yaml"),
      JSON.stringify({ kubernetes: { contexts: { test: { nodeLocal: true } } } }),
    );
    this.env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.home,
      XDG_STATE_HOME: join(this.home, "state"),
      XDG_CONFIG_HOME: join(this.home, "config"),
      XDG_CACHE_HOME: join(this.home, "cache"),
      SLIPWAY_ENGINE: "kubernetes",
      KUBECONFIG: this.#kubeconfig("kubeconfig"),
    };
  }

  /** @param rules what the user may do; default: everything in the namespace */
  static async make(rules: readonly Rule[] = [everything]): Promise<TestNamespace> {
    const name = `slipway-test-${randomBytes(4).toString("hex")}`;
    await kubectl(["create", "namespace", name]);
    onTestFinished(async () => void (await kubectl(["delete", "namespace", name, "--wait=false"])));
    await kubectl(["create", "serviceaccount", "user", `--namespace=${name}`]);
    await grant(name, rules);
    const binding = ["rolebinding", "user", "--role=user", `--serviceaccount=${name}:user`];
    await kubectl(["create", ...binding, `--namespace=${name}`]);
    const request = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} });
    const path = `/api/v1/namespaces/${name}/serviceaccounts/user/token`;
    const token = JSON.parse(await kubectl(["create", `--raw=${path}`, "--filename=-"], request)).status.token;
    // Before there is one no pod can be made.
    await until(
      () => kubectl(["get", "serviceaccounts", `--namespace=${name}`, "--output=name"]),
      (names) => names.includes("serviceaccount/default"),
    );
    return new TestNamespace(name, token, await ask("config", "view", "--minify", "--raw"));
  }

  /** Changes what the user may do. */
  grant(rules: readonly Rule[]): Promise<void> {
    return grant(this.name, rules);
  }

  /** The user's environment with a way to the API server that leads through a proxy. */
  through(proxy: { readonly url: string }): Record<string, string> {
    // Without this the client refuses plain HTTP.
    const cluster = { server: proxy.url, "insecure-skip-tls-verify": true };
    return { ...this.env, KUBECONFIG: this.#kubeconfig("kubeconfig-proxy", cluster) };
  }

  /** Asks kubectl about this namespace. */
  ask(...args: readonly string[]): Promise<KubernetesObject> {
    return ask(...args, `--namespace=${this.name}`);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl([`--namespace=${this.name}`, ...args]);
  }

  /** Everything that there is: jobs, pods, secrets and configuration, but what every namespace has. */
  async objects(): Promise<KubernetesObject[]> {
    const { items } = await this.ask("get", kinds);
    return items.filter(({ metadata }: KubernetesObject) => metadata.name !== "kube-root-ca.crt");
  }

  /** Names of the objects. */
  async names(): Promise<string[]> {
    return (await this.objects()).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  }

  /** Deletes all jobs, and settles when nothing is left. */
  async clear(): Promise<void> {
    await this.kubectl("delete", "jobs", "--all");
    await this.empty();
  }

  /** Has the user log in to a registry. @returns the file with the login */
  logIn(registry: string, { username, password }: { readonly username: string; readonly password: string }): string {
    const folder = join(this.home, ".docker");
    mkdirSync(folder);
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify({ auths: { [registry]: { auth } } }), { mode: 0o600 });
    return file;
  }

  /** Settles when nothing is left. */
  async empty(): Promise<void> {
    await until(
      () => this.names(),
      (names) => names.length === 0,
    );
  }

  #kubeconfig(name: string, cluster: object = this.#cluster["clusters"][0].cluster): string {
    const path = join(this.home, name);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "user", user: { token: this.#token } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "user", namespace: this.name } }],
      "current-context": "test",
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }
}

async function grant(namespace: string, rules: readonly Rule[]): Promise<void> {
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "user", namespace },
    rules,
  };
  await kubectl(["apply", "--filename=-"], JSON.stringify(role));
}
