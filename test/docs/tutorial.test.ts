import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { afterAll, describe, it } from "vitest";
import { type Cluster, openCluster } from "../../src/kubernetes/cluster.ts";
import { readPage } from "./page.ts";
import { Reader } from "./run.ts";

const has = (command: string) => spawnSync("sh", ["-c", command]).status === 0;
/** The parts that blocks of the page need. */
const parts = {
  kubernetes: has(
    'test -n "$KUBECONFIG" && kubectl --request-timeout=10s get nodes --output=name | grep -qx -e node/localhost -e "node/$(hostname)"',
  ),
  podman: has("podman info"),
  python: has("python3.11 -m pip --version || python3 -c 'import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))'"),
};

const namespace = `slipway-test-${randomBytes(4).toString("hex")}`;
let cluster: Cluster | undefined;
if (parts.kubernetes) {
  cluster = await openCluster(process.env);
  await cluster.api.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
}
const reader = new Reader(cluster ? { "kind-dev": cluster.context } : {}, {
  SLIPWAY_KUBERNETES_NAMESPACE: namespace,
});
afterAll(async () => {
  await cluster?.api.ask("DELETE", `/api/v1/namespaces/${namespace}`);
  await reader.end();
});

describe("a reader of docs/tutorial.md", () => {
  for (const block of readPage("docs/tutorial.md").blocks) {
    const isHere = block.needs === undefined || parts[block.needs as keyof typeof parts];
    const isFollowed = isHere && !block.isShown;
    it.skipIf(!isFollowed)(`follows ${block.place}: ${block.text.split("\n", 1)[0]}`, () => reader.follow(block));
  }
});
