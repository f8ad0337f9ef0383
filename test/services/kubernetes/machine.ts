import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { folderOfTest } from "../../../src/git/testdata/git-repository.ts";
import { kubectl as kubectlWith, until } from "../../cluster/testdata/kubectl.ts";
import { Machine, type Outcome } from "../../jobs/machine.ts";

/** What a test looks at of a pod. */
export interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly initContainerStatuses?: readonly { readonly restartCount: number }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/**
 * A user with the built command line, a namespace of a real cluster, and what its pods need. All of it is gone when
 * the test ends.
 */
export class ServiceUser {
  readonly machine: Machine;
  readonly namespace: string;
  /** Of this machine, for pods and for the machine itself. */
  readonly address: string;

  private constructor(machine: Machine, namespace: string, address: string) {
    this.machine = machine;
    this.namespace = namespace;
    this.address = address;
  }

  static async make(): Promise<ServiceUser> {
    const runfiles = join(process.env["RUNFILES_DIR"] ?? "", "_main");
    const namespace = `slipway-test-${randomBytes(4).toString("hex")}`;
    const machine = new Machine({
      KUBECONFIG: process.env["KUBECONFIG"] ?? "",
      SLIPWAY_KUBERNETES_NAMESPACE: namespace,
      SLIPWAY_SYNC_PUSH: join(runfiles, "bazel/private/service/sync_push"),
    });
    await kubectl("create", "namespace", namespace);
    onTestFinished(async () => void (await kubectl("delete", "namespace", namespace, "--wait=false")));
    await kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
    return new ServiceUser(machine, namespace, await bridgeAddress());
  }

  /**
   * Writes the user's configuration: the node shares this machine's network; instance types are as small as this
   * machine needs.
   */
  async configure(services: object = {}, registries: object = {}): Promise<void> {
    const context = (await kubectl("config", "current-context")).trim();
    const instanceTypes = { C4: { cpu: 0.2, memory: "256MiB" } };
    const settings = {
      kubernetes: { contexts: { [context]: { nodeLocal: true } } },
      instanceTypes,
      services,
      registries,
    };
    this.machine.write({ "xdg-CONFIG/slipway/config.yaml": JSON.stringify(settings) });
  }

  /** Runs the command line. */
  slipway(args: readonly string[], input?: string): Promise<Outcome> {
    return this.machine.slipway(args, {}, input);
  }

  /** Pushes the program of services; gives the image's name. */
  async image(env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { out, error } = await this.machine.run("test/services/kubernetes/web_push", [], env);
    if (out === "") throw new Error(error);
    return out.trim();
  }

  /** Makes a claim with a volume, which is empty and root's, as new volumes are; gives its folder. */
  async claim(name: string): Promise<string> {
    const folder = folderOfTest();
    const volume = `${this.namespace}-${name}`;
    const affinity = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["localhost"] }] };
    const common = { accessModes: ["ReadWriteMany"], storageClassName: "" };
    const objects = [
      {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: volume },
        spec: {
          ...common,
          capacity: { storage: "1Gi" },
          persistentVolumeReclaimPolicy: "Retain",
          local: { path: folder },
          nodeAffinity: { required: { nodeSelectorTerms: [affinity] } },
        },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name, namespace: this.namespace },
        spec: { ...common, volumeName: volume, resources: { requests: { storage: "1Gi" } } },
      },
    ];
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    await kubectlWith(["create", "--filename=-"], list);
    onTestFinished(async () => void (await kubectl("delete", "persistentvolume", volume, "--wait=false")));
    return folder;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(`--namespace=${this.namespace}`, ...args);
  }

  /** The pods of a service that nobody has ended. */
  async pods(service: string): Promise<readonly Pod[]> {
    const list = await this.kubectl("get", "pods", `--selector=slipway/service=${service}`, "--output=json");
    return (JSON.parse(list).items as Pod[]).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Settles when a service has as many pods as it should, all of them ready and none of before. */
  async ready(service: string): Promise<readonly [Pod, ...Pod[]]> {
    await this.kubectl("rollout", "status", `deployment/${service}`, "--timeout=240s");
    const [pod, ...others] = await waitUntil(
      () => this.pods(service),
      (pods) => pods.every(isReady),
    );
    if (!pod) throw new Error(`${service} has no pod`);
    return [pod, ...others];
  }

  /** What the program in a pod sees at a path. */
  async read({ status }: Pod, path: string, port = 8501): Promise<string> {
    const response = await fetch(`http://${status.podIP}:${port}${path}`);
    if (response.status === 200) return response.text();
    throw new Error(`${response.status} ${await response.text()}`);
  }
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True") ?? false;
}

/** Asks for two minutes: pods of a busy machine take their time. */
export function waitUntil<Answer>(question: () => Promise<Answer>, isIt: (answer: Answer) => boolean): Promise<Answer> {
  return until(question, isIt, 120_000);
}

/** As the administrator of the cluster. */
export function kubectl(...args: readonly string[]): Promise<string> {
  return kubectlWith(args);
}

/** The test cluster's bridge is called by the port of its API server. */
async function bridgeAddress(): Promise<string> {
  const server = await kubectl("config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}");
  const bridge = `slipway${new URL(server).port}`;
  // Node itself leaves out an interface that nothing is connected to: a bridge without pods.
  const shown = await promisify(execFile)("ip", ["-4", "-json", "address", "show", "dev", bridge]);
  const [{ addr_info = [] } = {}] = JSON.parse(shown.stdout) as { addr_info?: { local: string }[] }[];
  const [{ local: address } = {}] = addr_info;
  if (address === undefined)
    throw new Error(`${bridge} has no address: is it of the cluster of tools/testing/cluster?`);
  return address;
}
