import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";
import type { Machine } from "./machine.ts";

/**
 * Gives a machine the cluster that KUBECONFIG names, whose node is this machine, and a namespace there, gone when the
 * test ends.
 */
export function joinCluster(machine: Machine): void {
  const kubectl = (...args: string[]) => execFileSync("kubectl", args, { encoding: "utf8" }).trim();
  const namespace = `slipway-test-${randomBytes(4).toString("hex")}`;
  kubectl("create", "namespace", namespace);
  onTestFinished(() => void kubectl("delete", "namespace", namespace, "--wait=false"));
  kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
  machine.env["KUBECONFIG"] = process.env["KUBECONFIG"] ?? "";
  machine.env["SLIPWAY_KUBERNETES_NAMESPACE"] = namespace;
  const settings = { kubernetes: { contexts: { [kubectl("config", "current-context")]: { nodeLocal: true } } } };
  machine.write({ "xdg-CONFIG/slipway/config.yaml": JSON.stringify(settings) });
}
