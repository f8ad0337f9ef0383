import { ProgramFailure, runProgram } from "../../core/run-program.ts";

export type Answer = { readonly output: string } | { readonly problem: string };

export async function ask(command: string, args: readonly string[], milliseconds = 20_000): Promise<Answer> {
  try {
    const { status, stdout, stderr } = await runProgram(command, args, { time: milliseconds });
    if (status === 0) return { output: stdout.trim() };
    return { problem: `status ${status}: ${stderr.trim().split("\n").at(-1) || "it printed nothing"}` };
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error;
    return { problem: error.how };
  }
}
