import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportOf } from "../../../core/errors.ts";
import { folderOfTest } from "../../../git/testdata/git-repository.ts";
import { clusterOfTest } from "../../../kubernetes/testdata/cluster.ts";
import { pushShell } from "../../../kubernetes/testdata/image.ts";
import type { Change } from "../../change.ts";
import { applyFile } from "../apply-file.ts";
import { rollOutFile } from "../roll-out.ts";

/** Answers on port 8080, and tells the way there. */
export const answering = "echo up $A; exec busybox httpd -f -p 8080 -h /dev/shm";

/** A namespace with an image, and the file of one service `web` in it, of a type that has little. */
export async function serviceOfTest() {
  const cluster = await clusterOfTest();
  const image = await pushShell(cluster.registry);
  const config = join(cluster.env["XDG_CONFIG_HOME"] ?? "", "slipway/config.yaml");
  const instanceTypes = {
    small: { cpu: 0.01, memory: "24MiB" },
    huge: { cpu: 0.01, memory: "100000GiB" },
  };
  const { kubernetes } = JSON.parse(readFileSync(config, "utf8")) as { readonly kubernetes: object };
  writeFileSync(config, JSON.stringify({ kubernetes, instanceTypes }));
  const path = join(folderOfTest(), "web.yaml");
  const notices: string[] = [];
  /** Writes what the service is from now on. */
  const write = (script: string, more: object = {}) =>
    writeFileSync(path, JSON.stringify({ image, command: ["/bin/sh", "-c", script], port: 8080, ...more }));
  const apply = (isTrial = false, env: Record<string, string> = cluster.env) =>
    applyFile({ path, name: "web.yaml" }, env, isTrial);
  /** @returns the changes, and why it failed */
  const rollOut = async (
    options: { readonly timeLimit?: number; readonly isRolledBack?: boolean } = {},
    env: Record<string, string> = cluster.env,
  ) => {
    const changes: Change[] = [];
    const error = await rollOutFile({ path, name: "web.yaml" }, env, {
      timeLimit: 120,
      isRolledBack: false,
      notice: (text) => notices.push(text),
      onChanges: (some) => changes.push(...some),
      ...options,
    }).then(
      () => "",
      (error: unknown) => reportOf(error),
    );
    return { error, changes };
  };
  const place = { api: cluster.admin.api, namespace: cluster.namespace, context: cluster.admin.context };
  return { cluster, place, image, path, write, apply, rollOut, notices };
}
