import { readFileSync } from "node:fs";
import { openSsh } from "../ssh.ts";

/** Holds an agent with a key until it is killed. */
const key = { kind: "ssh-key", key: readFileSync(process.argv[2] ?? "", "utf8"), source: "test" } as const;
const { variables } = await openSsh("git@example.com:a/b", { findKey: async () => key });
process.stdout.write(variables["SSH_AUTH_SOCK"] ?? "");
setInterval(() => {}, 1000);
