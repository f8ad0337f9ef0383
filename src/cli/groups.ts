import type { Argv } from "yargs";

/** A group of commands, or one command. Loaded only when the user asks for it, which keeps startup fast. */
interface Group {
  readonly describe: string;
  readonly load: () => Promise<{ builder(yargs: Argv): Argv; handler?(options: object): Promise<void> }>;
}

/** Every first word of the command line, with its arguments. */
export const groups: Readonly<Record<string, Group>> = {
  "completion [shell]": {
    describe: "Print a completion script for bash or zsh",
    load: () => import("./commands/completion.ts"),
  },
  credentials: {
    describe: "Manage credentials for registries, git servers and downloads",
    load: () => import("./commands/credentials.ts"),
  },
  "dev <target>": {
    describe: "Run a target and restart it after every edit",
    load: () => import("./commands/dev.ts"),
  },
  doctor: {
    describe: "Show what is installed, what is missing, and how to install it",
    load: () => import("./commands/doctor.ts"),
  },
  image: { describe: "Inspect, copy and remove images; lock base images", load: () => import("./commands/image.ts") },
  "init [folder]": {
    describe: "Create a repository, or add Slipway to an existing one",
    load: () => import("./commands/init.ts"),
  },
  "install <dir>": {
    describe: "Install slipway and the credential helpers into a folder",
    load: () => import("./commands/install.ts"),
  },
  job: { describe: "Resolve, run and manage jobs", load: () => import("./commands/job.ts") },
  model: { describe: "Manage models for services in the registry", load: () => import("./commands/model.ts") },
  python: { describe: "Lock Python packages", load: () => import("./commands/python.ts") },
  registry: { describe: "Manage this machine's embedded registry", load: () => import("./commands/registry.ts") },
  results: { describe: "Manage kept results of functions", load: () => import("./commands/results.ts") },
  runs: { describe: "Show what programs and their functions did", load: () => import("./commands/runs.ts") },
  secret: { describe: "Manage secrets for services", load: () => import("./commands/secret.ts") },
  service: {
    describe: "Deploy and manage services in Kubernetes or on this machine",
    load: () => import("./commands/service.ts"),
  },
  ui: { describe: "Show runs, services and images in a browser", load: () => import("./commands/ui.ts") },
  version: { describe: "Print the version", load: () => import("./commands/version.ts") },
};
