import { runCommand } from "./commands.ts";
import { runTool } from "./tool.ts";

await runTool(process.argv.slice(2), runCommand);
