import { command } from "../command.ts";
import { examine } from "../doctor/examine.ts";
import { formatFinding } from "../doctor/finding.ts";
import { json } from "./options.ts";
import { notice, printJson, write } from "./output.ts";

/** Ends with status 1 if a part is broken, or a required one missing: in a workspace, Bazel. */
export const doctor = command(
  { json },
  async ({ json }) => {
    const findings = await examine((finding) => (json ? undefined : write(process.stdout, formatFinding(finding))));
    if (json) printJson(findings);
    const failed = findings.filter(({ required, state }) => state === "broken" || (required && state === "missing"));
    if (failed.length === 0) return;
    process.exitCode = 1;
    if (!json) notice(`does not work: ${failed.map(({ part }) => part).join(", ")}`);
  },
  (yargs) => yargs.example("$0 doctor", "Try what a run needs, and print the command that installs what is missing"),
);
