import { elfLoader } from "../../../core/elf.ts";
import { nativePlatform } from "../../../layer/native.ts";
import type { CheckedImage, Mistake } from "./image.ts";
import type { Found, Missing } from "./tree.ts";
import { describeOwner, mayExecute } from "./user.ts";

/** Linux follows only a few levels of interpreters that are scripts. */
const mostInterpreters = 4;

/** Searches as an engine does: by its path, or by its name on PATH. */
export function findProgram(image: CheckedImage, word: string): Found | Missing {
  if (word.includes("/")) return image.tree.find(word, image.config.config?.WorkingDir || "/");
  for (const folder of image.searchPath) {
    const found = image.tree.find(`${folder}/${word}`);
    if ("node" in found && found.node.type === "file") return found;
  }
  return { missing: `has no ${word} in PATH (${image.searchPath.join(":")})` };
}

export async function checkExecutable(image: CheckedImage, program: Found): Promise<Mistake | undefined> {
  const { path, node } = program;
  if (node.type !== "file") {
    return { where: path, problem: `it is a ${node.type}, not a file`, remedy: "Put the program there." };
  }
  const user = await image.user();
  if (typeof user === "string" || mayExecute(user, program)) return undefined;
  return {
    where: path,
    problem: `user ${user.uid} of the image may not execute it: ${describeOwner(node)}`,
    remedy: `Make it executable when the image is built: chmod 755 ${path}.`,
  };
}

/** An executable must be for the image's architecture, and its loader must exist. A script needs its interpreter. */
export async function checkRuns(
  image: CheckedImage,
  program: Found,
  depth = mostInterpreters,
): Promise<Mistake | undefined> {
  const head = await image.head(program);
  if (head.toString("latin1", 0, 2) === "#!") return checkScript(image, program, head, depth);
  const platform = nativePlatform(head);
  const { os, architecture } = image.config;
  if (!platform) {
    return {
      where: program.path,
      problem: "it is neither a program nor a script that begins with #!",
      remedy: "Begin the script with its interpreter, for example #!/bin/sh.",
    };
  }
  if (platform.os !== os || platform.architecture !== architecture) {
    return {
      where: program.path,
      problem: `it is a program for ${platform.os}/${platform.architecture}, but the image is for ${os}/${architecture}`,
      remedy: "Build the program for the image's platform, or declare the image for the program's.",
    };
  }
  const loader = elfLoader(head);
  const found = loader === undefined ? undefined : image.tree.find(loader);
  if (!found || "node" in found) return undefined;
  return {
    where: program.path,
    problem: `it needs the loader ${loader}, and the image ${found.missing}`,
    remedy: "Take a base with the C library that the program was linked with, or link it statically.",
  };
}

async function checkScript(
  image: CheckedImage,
  script: Found,
  head: Buffer,
  depth: number,
): Promise<Mistake | undefined> {
  const [line = ""] = head.toString("utf8", 2).split("\n", 1);
  if (line.endsWith("\r")) {
    return {
      where: script.path,
      problem: "its first line ends with a carriage return, which the kernel takes for a part of it",
      remedy: "Save the script with the line ends of Unix, for example with dos2unix.",
    };
  }
  // The kernel passes all that follows the interpreter as one argument.
  const [, interpreter = "", argument = ""] = /^[ \t]*(\S*)[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
  const named = /(^|\/)env$/.test(interpreter) ? programOfEnv(argument) : undefined;
  for (const word of [interpreter, ...(named === undefined ? [] : [named])]) {
    const found = findProgram(image, word);
    if (!("node" in found)) {
      return {
        where: script.path,
        problem: `its first line asks for ${word}, and the image ${found.missing}`,
        remedy: "Install that interpreter in the image, or name one that is there.",
      };
    }
    const problem =
      (await checkExecutable(image, found)) ?? (depth > 0 ? await checkRuns(image, found, depth - 1) : undefined);
    if (problem) return problem;
  }
  return undefined;
}

/** The program that `env ARGUMENT` starts. `-S` has it divide the argument; else this is one word, blanks included. */
function programOfEnv(argument: string): string | undefined {
  const [, divided] = /^(?:-\w*S|--split-string=?)\s*(.*)$/s.exec(argument) ?? [];
  if (divided !== undefined) return divided.split(/\s+/).find((word) => !/^-|=/.test(word));
  return argument === "" || /^-|=/.test(argument) ? undefined : argument;
}
