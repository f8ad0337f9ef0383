import type { Environment } from "../../core/environment.ts";
import type { ServiceEngine } from "../engine.ts";
import { applyFile, deleteServices, planFile, restartService, rollBackService, serviceHistory } from "./apply-file.ts";
import { showServiceLogs } from "./logs.ts";
import { openService } from "./open.ts";
import { serviceStatuses } from "./status.ts";

export class ContainerServices implements ServiceEngine {
  readonly isAbortable = false;
  readonly afterInterrupt = "What was applied stays; the next `slipway service apply` completes it.";
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  plan: ServiceEngine["plan"] = (file) => planFile(file, this.#env);
  apply: ServiceEngine["apply"] = (file, options) => applyFile(file, this.#env, options);
  statuses: ServiceEngine["statuses"] = (names = []) => serviceStatuses(this.#env, names);
  logs: ServiceEngine["logs"] = (name, options, write) => showServiceLogs(this.#env, name, options, write);
  open: ServiceEngine["open"] = (name, options) => openService(this.#env, name, options);
  history: ServiceEngine["history"] = (name) => serviceHistory(this.#env, name);
  rollBack: ServiceEngine["rollBack"] = (name, asked, options) => rollBackService(this.#env, name, asked, options);
  delete: ServiceEngine["delete"] = (services, { notice, onChange }) =>
    deleteServices(services, this.#env, notice, onChange);

  restart: ServiceEngine["restart"] = async (name, options) => {
    await restartService(this.#env, name, options);
    return true;
  };
}
