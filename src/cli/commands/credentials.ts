import { group } from "../command.ts";

export const credentials = group("credentials", {
  add: [
    "Add a source for a registry, a git server or downloads",
    async () => (await import("./credentials-add.ts")).add,
  ],
  list: ["List the sources, without secrets", async () => (await import("./credentials-list.ts")).list],
  "remove <what>": [
    "Remove a source; the file or secret that it refers to stays",
    async () => (await import("./credentials-list.ts")).remove,
  ],
  "explain <url>": [
    "Show which source applies to a registry or URL, and why",
    async () => (await import("./credentials-explain.ts")).explain,
  ],
  "test [what]": [
    "Read sources and check whether the services accept them",
    async () => (await import("./credentials-test.ts")).test,
  ],
});
