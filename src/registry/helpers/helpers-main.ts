import process from "node:process";
import { exitStatusOf, reportOf, UserError } from "../../core/errors.ts";
import { reportUncaught } from "../../core/unexpected.ts";
import type { HelperAnswer, HelperCall } from "../../credentials/protocols/helper.ts";

/** By the name under which `slipway install` installs them. */
const helpers: Readonly<Record<string, (call: HelperCall) => Promise<HelperAnswer>>> = {
  "docker-credential-slipway": async (call) =>
    (await import("../../credentials/protocols/docker.ts")).dockerHelper(call),
  "git-credential-slipway": async (call) => (await import("../../credentials/protocols/git.ts")).gitHelper(call),
  "bazel-credential-slipway": async (call) => (await import("./bazel.ts")).bazelHelper(call),
  "git-ssh-slipway": async ({ args, env }) => {
    const { runSsh } = await import("../../credentials/protocols/ssh.ts");
    return { stdout: "", status: await runSsh(args, env) };
  },
};

/** docker and podman show a failing helper's stdout, other tools its stderr. */
const errorsOnStdout = "docker-credential-slipway";

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  try {
    const helper = helpers[name];
    if (!helper) {
      throw new UserError(
        { code: "command-line-invalid", culprit: name },
        `There is no helper ${JSON.stringify(name)}.`,
        "Run `slipway install DIR` again.",
      );
    }
    const { stdout, stderr, status } = await helper({ args, stdin: process.stdin, env: process.env });
    if (stderr) process.stderr.write(stderr);
    process.stdout.write(stdout);
    return status ?? 0;
  } catch (error) {
    const text = `${reportOf(error)}\n`;
    if (name === errorsOnStdout) process.stdout.write(text);
    else process.stderr.write(text);
    return exitStatusOf(error);
  }
}

reportUncaught();
process.exitCode = await main(process.argv.slice(2));
