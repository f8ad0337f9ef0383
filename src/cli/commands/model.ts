import { group } from "../command.ts";

export const model = group("model", {
  "push <id> <folder>": [
    "Push a folder as the newest version of a model and print ID@sha256:…",
    async () => (await import("./model-push.ts")).push,
  ],
  "ls [id]": [
    "List the models, or the versions of one, newest last",
    async () => (await import("./model-store.ts")).ls,
  ],
  "rm <model>": [
    "Remove a model with all its versions, or one version",
    async () => (await import("./model-store.ts")).rm,
  ],
});
