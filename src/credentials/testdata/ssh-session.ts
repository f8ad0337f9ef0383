/** Holds an agent with the key in a file, prints its socket, and waits until it is killed. */
import { readFileSync } from "node:fs";
import { startSshAgent } from "../ssh-agent.ts";

const { socket } = await startSshAgent(readFileSync(process.argv[2] as string, "utf8"), process.env);
console.log(socket);
setInterval(() => {}, 1e6);
