import { superviseById } from "../supervise.ts";

await superviseById(process.argv[2] ?? "");
