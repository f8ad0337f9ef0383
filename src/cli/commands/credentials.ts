import { group } from "../command.ts";

export const credentials = group("credentials", {
  add: ["Add a source for a registry, a git server or downloads", () => import("./credentials-add.ts")],
  ls: ["List the sources, without secrets", () => import("./credentials-list.ts"), "list"],
  "rm <what>": [
    "Remove a source; the file or secret that it refers to stays",
    () => import("./credentials-list.ts"),
    "remove",
  ],
  "explain <url>": [
    "Show which source applies to a registry or URL, and why",
    () => import("./credentials-explain.ts"),
  ],
  "test [what]": ["Read sources and check whether the services accept them", () => import("./credentials-test.ts")],
});
