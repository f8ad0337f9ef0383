import type { Argv } from "yargs";

/** A group of commands, or one command, loaded when it is the one that was asked for: the others cost nothing. */
interface Group {
  readonly describe: string;
  readonly load: () => Promise<{ builder(yargs: Argv): Argv; handler?(options: object): Promise<void> }>;
}

/** Every first word of the command line, with its arguments. */
export const groups: Readonly<Record<string, Group>> = {
  "completion [shell]": {
    describe: "Print a script that completes commands in bash or zsh",
    load: () => import("./commands/completion.ts"),
  },
  credentials: {
    describe: "Where the secrets for registries, git servers and downloads are",
    load: () => import("./commands/credentials.ts"),
  },
  "dev <target>": {
    describe: "Run a target, and again after every edit",
    load: () => import("./commands/dev.ts"),
  },
  doctor: {
    describe: "What this machine has and lacks, and how to get it",
    load: () => import("./commands/doctor.ts"),
  },
  image: { describe: "Images in registries, and locks of base images", load: () => import("./commands/image.ts") },
  "init [folder]": {
    describe: "Make a repository that runs, or add Slipway to one",
    load: () => import("./commands/init.ts"),
  },
  "install <dir>": {
    describe: "Put slipway and the credential helpers into a folder, ready to run",
    load: () => import("./commands/install.ts"),
  },
  job: { describe: "Any interpreter, any code, resolved exactly", load: () => import("./commands/job.ts") },
  model: { describe: "Models for services, in the registry", load: () => import("./commands/model.ts") },
  python: { describe: "Locks of Python packages", load: () => import("./commands/python.ts") },
  registry: { describe: "The embedded registry of this machine", load: () => import("./commands/registry.ts") },
  secret: { describe: "Secrets that services name", load: () => import("./commands/secret.ts") },
  service: {
    describe: "What answers on a port, in Kubernetes or on this machine",
    load: () => import("./commands/service.ts"),
  },
  version: { describe: "Print the version", load: () => import("./commands/version.ts") },
};
