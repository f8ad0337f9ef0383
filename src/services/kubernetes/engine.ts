import type { Environment } from "../../core/environment.ts";
import { Failure } from "../../core/errors.ts";
import { type Cluster, openCluster } from "../../kubernetes/cluster.ts";
import type { ServiceEngine } from "../engine.ts";
import type { LiveObject } from "./apply.ts";
import type { Exposure } from "./expose.ts";
import type { WaitOptions } from "./wait.ts";

export const clusterServices = (env: Environment): ServiceEngine => ({
  isAbortable: true,
  afterInterrupt: "What was applied stays, and its cluster goes on: `slipway service status` tells how it is.",

  plan: async (file, { notice }) => {
    const { applyFile } = await import("./apply-file.ts");
    const { fieldsOfOthers } = await import("./others.ts");
    const onApplied = (object: LiveObject) => {
      for (const { manager, fields } of fieldsOfOthers(object)) {
        const what = `${object.kind} ${object.metadata.name}`;
        notice(`${what}: ${manager} has set ${fields.join(", ")}; apply leaves that as it is.`);
      }
    };
    return applyFile(file, env, true, { onApplied });
  },

  apply: async (file, { timeLimit, ...options }) => {
    const { urlsIn } = await import("./expose.ts");
    const addresses: string[] = [];
    const onApplied = (object: LiveObject) => {
      if (object.kind !== "Ingress" && object.kind !== "HTTPRoute") return;
      const { urls = [] } = urlsIn([object as LiveObject & Exposure]);
      addresses.push(...urls.map((url) => `${object.metadata.name}: ${url}`));
    };
    if (timeLimit === undefined) {
      const { applyFile } = await import("./apply-file.ts");
      await applyFile(file, env, false, { onChange: options.onChange, onApplied });
    } else {
      const { rollOutFile } = await import("./roll-out.ts");
      const onChanges: Parameters<typeof rollOutFile>[2]["onChanges"] = (changes) => changes.forEach(options.onChange);
      await rollOutFile(file, env, { ...options, timeLimit, onChanges, onApplied });
    }
    for (const address of addresses) options.notice(address);
  },

  statuses: async (names = []) => (await import("./status.ts")).serviceStatuses(await openCluster(env), names),

  logs: async (name, options, write) =>
    (await import("./logs.ts")).showServiceLogs(await openCluster(env), name, options, write),

  open: async (name, options) => (await import("./open.ts")).openService(await openCluster(env), name, options),

  history: async (name) => (await import("./history.ts")).serviceHistory(await openCluster(env), name),

  rollBack: async (name, asked, { timeLimit, onChange, ...options }) => {
    const { rollBackService } = await import("./history.ts");
    const cluster = await openCluster(env);
    const { revision, changes } = await rollBackService(cluster, name, asked);
    changes.forEach(onChange);
    if (timeLimit !== undefined) await requireReady(cluster, name, { ...options, timeLimit });
    return revision;
  },

  restart: async (name, { timeLimit, ...options }) => {
    const { restartService } = await import("./history.ts");
    const cluster = await openCluster(env);
    await restartService(cluster, name);
    options.notice(`The cluster replaces the pods of ${name}: \`slipway service status ${name}\` shows its state.`);
    if (timeLimit === undefined) return false;
    await requireReady(cluster, name, { ...options, timeLimit });
    return true;
  },

  delete: async (services, { onChange }) => {
    const { deleteServices } = await import("./apply-file.ts");
    const names = services.map(({ name }) => name);
    await deleteServices(names, env, onChange);
  },
});

async function requireReady(cluster: Cluster, name: string, options: WaitOptions): Promise<void> {
  const { waitUntilReady } = await import("./wait.ts");
  const reason = (await waitUntilReady(cluster, [name], options)).get(name);
  if (reason === undefined) return;
  throw new Failure(
    { code: "service-not-ready", culprit: name },
    `Service ${name} does not get ready: ${reason}`,
    "The cluster keeps trying: `slipway service status` shows its state.",
  );
}
