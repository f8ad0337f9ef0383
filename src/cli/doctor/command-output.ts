import { execFile } from "node:child_process";

/** The output of a command, or why it failed, in one line. */
export type Answer = { readonly output: string } | { readonly problem: string };

/** Runs a command that should answer immediately. */
export function ask(command: string, args: readonly string[], milliseconds = 20_000): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { timeout: milliseconds, killSignal: "SIGKILL", encoding: "utf8" },
      (error, stdout, stderr) => {
        if (!error) return resolve({ output: stdout.trim() });
        if (error.killed) return resolve({ problem: `no answer within ${milliseconds / 1000} s` });
        const words = stderr.trim().split("\n").at(-1) || error.message;
        resolve({ problem: `status ${error.code ?? error.signal}: ${words}` });
      },
    );
  });
}
