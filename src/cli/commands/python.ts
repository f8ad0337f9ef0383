import { group } from "../command.ts";

export const python = group("python", {
  "lock <file>": ["Lock Python packages to the newest versions, with hashes", () => import("./python-lock.ts")],
});
