import type { Commands } from "./command.ts";

export const groups: Commands = {
  "completion [shell]": ["Print a completion script for bash, zsh or fish", () => import("./commands/completion.ts")],
  config: ["Print the schema of config.yaml", () => import("./commands/config.ts")],
  credentials: [
    "Manage credentials for registries, git servers and downloads",
    () => import("./commands/credentials.ts"),
  ],
  "dev <target>": ["Run a target and restart it after every edit", () => import("./commands/dev.ts")],
  doctor: ["Show what is installed, what is missing, and how to install it", () => import("./commands/doctor.ts")],
  image: ["Inspect, copy and remove images; lock base images", () => import("./commands/image.ts")],
  "init [folder]": ["Create a repository, or add Slipway to an existing one", () => import("./commands/init.ts")],
  "install <dir>": ["Install slipway and the credential helpers into a folder", () => import("./commands/install.ts")],
  job: ["Resolve, run and manage jobs", () => import("./commands/job.ts")],
  model: ["Manage models for services in the registry", () => import("./commands/model.ts")],
  python: ["Lock Python packages", () => import("./commands/python.ts")],
  registry: ["Manage this machine's embedded registry", () => import("./commands/registry.ts")],
  results: ["Manage kept results of functions", () => import("./commands/results.ts")],
  runs: ["Show what programs and their functions did", () => import("./commands/runs.ts")],
  secret: ["Manage secrets for services", () => import("./commands/secret.ts")],
  service: ["Deploy and manage services in Kubernetes or on this machine", () => import("./commands/service.ts")],
  ui: ["Show runs, services and images in a browser", () => import("./commands/ui.ts")],
  version: ["Print the version", () => import("./commands/version.ts")],
};
