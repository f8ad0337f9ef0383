import type { Argv } from "yargs";
import type { Command, Commands } from "./command.ts";

const built = async (module: Promise<{ builder(yargs: Argv): Argv }>): Promise<Command> => {
  const { builder } = await module;
  return { prepare: async () => builder };
};

/** Every first word of the command line, with its arguments. */
export const groups: Commands = {
  "completion [shell]": [
    "Print a completion script for bash or zsh",
    async () => (await import("./commands/completion.ts")).completion,
  ],
  config: ["Print the schema of config.yaml", async () => (await import("./commands/config.ts")).config],
  credentials: [
    "Manage credentials for registries, git servers and downloads",
    async () => (await import("./commands/credentials.ts")).credentials,
  ],
  "dev <target>": ["Run a target and restart it after every edit", async () => (await import("./commands/dev.ts")).dev],
  doctor: [
    "Show what is installed, what is missing, and how to install it",
    async () => (await import("./commands/doctor.ts")).doctor,
  ],
  image: ["Inspect, copy and remove images; lock base images", async () => (await import("./commands/image.ts")).image],
  "init [folder]": [
    "Create a repository, or add Slipway to an existing one",
    async () => (await import("./commands/init.ts")).init,
  ],
  "install <dir>": [
    "Install slipway and the credential helpers into a folder",
    async () => (await import("./commands/install.ts")).install,
  ],
  job: ["Resolve, run and manage jobs", () => built(import("./commands/job.ts"))],
  model: ["Manage models for services in the registry", async () => (await import("./commands/model.ts")).model],
  python: ["Lock Python packages", async () => (await import("./commands/python.ts")).python],
  registry: ["Manage this machine's embedded registry", async () => (await import("./commands/registry.ts")).registry],
  results: ["Manage kept results of functions", async () => (await import("./commands/results.ts")).results],
  runs: ["Show what programs and their functions did", async () => (await import("./commands/runs.ts")).runs],
  secret: ["Manage secrets for services", async () => (await import("./commands/secret.ts")).secret],
  service: [
    "Deploy and manage services in Kubernetes or on this machine",
    () => built(import("./commands/service.ts")),
  ],
  ui: ["Show runs, services and images in a browser", async () => (await import("./commands/ui.ts")).ui],
  version: ["Print the version", async () => (await import("./commands/version.ts")).versionCommand],
};
