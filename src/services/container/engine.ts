import type { Environment } from "../../core/environment.ts";
import type { ServiceEngine } from "../engine.ts";
import { applyFile, deleteServices, planFile, restartService, rollBackService, serviceHistory } from "./apply-file.ts";
import { showServiceLogs } from "./logs.ts";
import { openService } from "./open.ts";
import { serviceStatuses } from "./status.ts";

export const containerServices = (env: Environment): ServiceEngine => ({
  isAbortable: false,
  afterInterrupt: "What was applied stays; the next `slipway service apply` completes it.",
  plan: (file) => planFile(file, env),
  apply: (file, options) => applyFile(file, env, options),
  statuses: (names = []) => serviceStatuses(env, names),
  logs: (name, options, write) => showServiceLogs(env, name, options, write),
  open: (name, options) => openService(env, name, options),
  history: (name) => serviceHistory(env, name),
  rollBack: (name, asked, options) => rollBackService(env, name, asked, options),
  delete: (services, { notice, onChange }) => deleteServices(services, env, notice, onChange),

  restart: async (name, options) => {
    await restartService(env, name, options);
    return true;
  },
});
