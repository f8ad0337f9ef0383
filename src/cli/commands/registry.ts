import { group } from "../command.ts";

export const registry = group("registry", {
  serve: ["Run the registry in the foreground until interrupted", () => import("./registry-serve.ts")],
  ls: ["List images with their digests and sizes", () => import("./registry-store.ts")],
  status: ["Show whether it runs, its address and its number of images", () => import("./registry-control.ts")],
  gc: [
    "Remove unused data: blobs after an hour, uploads after a day, untagged images after a week",
    () => import("./registry-store.ts"),
  ],
  stop: ["Stop the registry; the next push starts it again", () => import("./registry-control.ts")],
  "token <repository>": ["Print a token: the password of user `token`", () => import("./registry-control.ts")],
});
