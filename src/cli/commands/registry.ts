import { group } from "../command.ts";

/** Commands for the embedded registry. */
export const registry = group("registry", {
  serve: [
    "Run the registry in the foreground until interrupted",
    async () => (await import("./registry-serve.ts")).serveInForeground,
  ],
  ls: ["List images with their digests and sizes", async () => (await import("./registry-store.ts")).ls],
  status: [
    "Show whether it runs, its address and its number of images",
    async () => (await import("./registry-control.ts")).status,
  ],
  gc: [
    "Remove unused data: blobs after an hour, uploads after a day, untagged images after a week",
    async () => (await import("./registry-store.ts")).gc,
  ],
  stop: ["Stop the registry; the next push starts it again", async () => (await import("./registry-control.ts")).stop],
  "token <repository>": [
    "Print a token: the password of user `token`",
    async () => (await import("./registry-control.ts")).token,
  ],
});
