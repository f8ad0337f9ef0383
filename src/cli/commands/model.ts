import { group } from "../command.ts";

export const model = group("model", {
  "push <id> <folder>": [
    "Push a folder as the newest version of a model and print ID@sha256:…",
    () => import("./model-push.ts"),
  ],
  "ls [id]": ["List the models, or the versions of one, newest last", () => import("./model-store.ts")],
  "rm <model>": ["Remove a model with all its versions, or one version", () => import("./model-store.ts")],
});
