import { clusterOfTest, kubeconfig, until } from "../../../kubernetes/testdata/cluster.ts";
import { KubernetesEngine, type KubernetesOptions } from "../engine.ts";

export { kubeconfig, until };

/** A namespace of a test's own, as {@link clusterOfTest}, with an engine in it. */
export async function engineOfTest(options: Parameters<typeof clusterOfTest>[0] = {}) {
  const cluster = await clusterOfTest(options);
  const notices: string[] = [];
  const engine = (more: KubernetesOptions = {}, other: Record<string, string> = {}) =>
    new KubernetesEngine({ ...cluster.env, ...other }, { notice: (text) => notices.push(text), ...more });
  return { ...cluster, notices, engine };
}

export type TestEngine = Awaited<ReturnType<typeof engineOfTest>>;
