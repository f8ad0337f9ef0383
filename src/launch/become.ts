import { accessSync, closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { Failure } from "../core/errors.ts";

/** Replaces this process with a program, so that signals and the exit status are the program's own. @throws Failure */
export function become(program: string, args: readonly string[], env: Record<string, string>): never {
  const { execve } = process;
  if (!execve) {
    const identity = { code: "program-failed", culprit: "execve" } as const;
    throw new Failure(identity, "Node cannot replace a process on this system.", "Run the target on Linux or macOS.");
  }
  const command = isBareScript(program) ? ["/bin/sh", program] : [program];
  // Node ignores these two, and the new program would inherit that. Handlers are not inherited.
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => {});
  return execve(command[0] as string, [...command, ...args], env);
}

/** A shell can run it, but the kernel cannot. */
function isBareScript(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
  } catch (cause) {
    // Bazel makes outputs executable, but not source files.
    const remedy = existsSync(program) ? "Make its source executable, with chmod +x." : "Build the target again.";
    const problem = `${program} cannot be started: ${(cause as Error).message}.`;
    throw new Failure({ code: "target-invalid", culprit: program }, problem, remedy, { cause });
  }
  const start = Buffer.alloc(4);
  try {
    const descriptor = openSync(program, "r");
    readSync(descriptor, start, 0, start.length, 0);
    closeSync(descriptor);
  } catch {
    // Not readable, so it cannot be a script.
    return false;
  }
  return start.toString("latin1", 0, 2) !== "#!" && !nativePrograms.includes(start.toString("hex"));
}

/** The first bytes of ELF and Mach-O files, in hex. */
const nativePrograms: readonly string[] = ["7f454c46", "cffaedfe", "cefaedfe", "cafebabe"];
