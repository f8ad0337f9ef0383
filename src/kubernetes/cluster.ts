import { readFileSync } from "node:fs";
import { dirname } from "node:path";
// Not the package's entry: see api.ts.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { readValues } from "../config/config-file.ts";
import { contextSettings } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { userName } from "../core/user-name.ts";
import { Api } from "./api.ts";
import { isInCluster, kubeconfigFiles } from "./configured.ts";
import { Logins, withOwnLogin } from "./login.ts";

export interface Cluster {
  readonly api: Api;
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  readonly nodeLocal: boolean;
  readonly podRegistry?: string | undefined;
  readonly filesCredential?: string | undefined;
  readonly owner: string;
}

/**
 * Without a request. Context and namespace: `where`, else SLIPWAY_KUBERNETES_CONTEXT and SLIPWAY_KUBERNETES_NAMESPACE,
 * else the user's configuration, else the kubeconfig's.
 *
 * @throws UserError if there is no kubeconfig, no such context, or no encryption
 */
export async function openCluster(
  env: Environment,
  where: { readonly context?: string; readonly namespace?: string } = {},
): Promise<Cluster> {
  const config = await readKubeconfig(env);
  const context = where.context ?? env["SLIPWAY_KUBERNETES_CONTEXT"] ?? config.currentContext;
  const known = config.contexts.map(({ name }) => name);
  const unusable = (culprit: string) => ({ code: "cluster-unreachable", culprit }) as const;
  if (!context) {
    throw new UserError(
      unusable("kubeconfig"),
      "The kubeconfig has no current context.",
      `Set SLIPWAY_KUBERNETES_CONTEXT to one of ${known.join(", ") || "its contexts (it has none)"}.`,
    );
  }
  const found = config.contexts.find(({ name }) => name === context);
  if (!found) {
    const meant = nearest(context, known);
    throw new UserError(
      unusable(context),
      `The kubeconfig has no context ${JSON.stringify(context)}.`,
      meant === undefined ? `It has ${known.join(", ") || "none"}.` : `Write ${meant}.`,
    );
  }
  config.setCurrentContext(context);
  const { server, skipTLSVerify } = config.getCurrentCluster() ?? {};
  if (!server) {
    throw new UserError(
      unusable(context),
      `Context ${context} of the kubeconfig names a cluster that the kubeconfig does not have.`,
      "Choose another context with SLIPWAY_KUBERNETES_CONTEXT, or correct the kubeconfig.",
    );
  }
  if (/^http:/i.test(server) && !skipTLSVerify) {
    throw new UserError(
      unusable(server),
      `Cluster ${found.cluster} of the kubeconfig has the address ${server}, which would send your credential unencrypted.`,
      "Use its https:// address. For a proxy on this machine, such as `kubectl proxy`, add `insecure-skip-tls-verify: true` beside `server`.",
    );
  }
  const logins = new Logins(env, () => config.getCurrentCluster());
  config.addAuthenticator(logins);
  const settings = await contextSettings(context, env);
  return {
    api: new Api(config, { context, server, user: found.user }, logins),
    context,
    server,
    namespace:
      where.namespace ?? (env["SLIPWAY_KUBERNETES_NAMESPACE"] || settings.namespace || found.namespace || "default"),
    nodeLocal: settings.nodeLocal ?? false,
    podRegistry: settings.podRegistry,
    filesCredential: settings.filesCredential,
    owner: asLabel(userName()),
  };
}

/** Merges several files. The first one wins, as in kubectl. */
async function readKubeconfig(env: Environment): Promise<KubeConfig> {
  const { files, named } = kubeconfigFiles(env);
  const all = new KubeConfig();
  if (files.length === 0) {
    if (!isInCluster(env)) {
      throw new UserError(
        { code: "cluster-unreachable", culprit: named ? "KUBECONFIG" : "~/.kube/config" },
        named ? `KUBECONFIG=${env["KUBECONFIG"]} names no existing file.` : "There is no kubeconfig.",
        "Get one from the cluster's administrator, and save it as ~/.kube/config or name it in KUBECONFIG.",
      );
    }
    all.loadFromCluster();
    all.users = all.users.map((user) => withOwnLogin(user, user.authProvider?.config?.tokenFile, "/"));
    return all;
  }
  const configs = await Promise.all(files.map(readFile));
  const union = <Item extends { readonly name: string }>(of: (config: KubeConfig) => Item[]) =>
    [...Map.groupBy(configs.flatMap(of), ({ name }) => name).values()].flatMap(([first]) => first ?? []);
  all.loadFromOptions({
    clusters: union((config) => config.clusters),
    users: union((config) => config.users),
    contexts: union((config) => config.contexts),
    currentContext: configs.map(({ currentContext }) => currentContext).find(Boolean),
  });
  return all;
}

async function readFile(path: string): Promise<KubeConfig> {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
    const tokenFiles = await readTokenFiles(readFileSync(path, "utf8"));
    config.users = config.users.map((user) => withOwnLogin(user, tokenFiles.get(user.name), dirname(path)));
    return config;
  } catch (cause) {
    const words = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    const identity = { code: "cluster-unreachable", culprit: path } as const;
    throw new UserError(identity, `Kubeconfig ${path} cannot be used: ${words}.`, "Correct it.", { cause });
  }
}

/** The `tokenFile` of users, which the client library ignores. */
async function readTokenFiles(text: string): Promise<ReadonlyMap<string, string>> {
  if (!text.includes("tokenFile")) return new Map();
  const { users } = (await readValues(text)) as { users?: { name: string; user?: { tokenFile?: string } }[] };
  return new Map((users ?? []).flatMap(({ name, user }) => (user?.tokenFile ? [[name, user.tokenFile] as const] : [])));
}

/** At most 63 letters, digits, `-`, `_`, `.`, no mark at either end. */
function asLabel(text: string): string {
  const label = text.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(0, 63);
  return label.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "") || "unknown";
}
