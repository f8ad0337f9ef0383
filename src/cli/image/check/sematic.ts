import { checkHome, checkWritable } from "./folders.ts";
import type { CheckedImage, Mistake } from "./image.ts";
import { checkExecutable, checkRuns, findProgram } from "./program.ts";
import { findModule } from "./python-modules.ts";
import type { Requirement } from "./requirement.ts";
import { reachableCommands } from "./shell.ts";
import type { Found } from "./tree.ts";

const python = "/usr/bin/python3";
const worker = "sematic.resolvers.worker";
const command = `${python} -m ${worker} "$@"`;

/** Sematic's documentation, "Totally Custom Image", in its order. `modules` are the user's Python modules. */
export function sematicRequirements(modules: readonly string[]): readonly Requirement[] {
  return [
    {
      id: "code",
      title: "It contains your source code and its dependencies.",
      async check(image) {
        for (const module of [worker, ...modules]) {
          const problem = findModule(image, module, await entryScript(image));
          if (problem) return problem;
        }
        return undefined;
      },
    },
    {
      id: "registry",
      title: "It is in a container registry, whole.",
      ofRegistry: true,
      check: async (image) => image.absent[0] ?? image.damaged[0],
    },
    { id: "entrypoint", title: `The entrypoint is a script that executes ${command}`, check: checkEntrypoint },
    { id: "python", title: `${python} is a Python interpreter.`, check: checkPython },
    { id: "home", title: "The home folder is writable.", check: checkHome },
    { id: "bin", title: "/sematic/bin is writable.", check: (image) => checkWritable(image, "/sematic/bin") },
    {
      id: "path",
      title: "/sematic/bin is on PATH.",
      check: async (image) =>
        image.searchPath.some((folder) => folder.replace(/\/+$/, "") === "/sematic/bin")
          ? undefined
          : {
              where: "config.Env PATH",
              problem: `it is ${image.variable("PATH") ?? "not set"}`,
              remedy: "Add the folder when the image is built: ENV PATH=/sematic/bin:$PATH.",
            },
    },
  ];
}

/** The entrypoint is the script, or passes it to a shell. */
async function entryScript(image: CheckedImage): Promise<{ found: Found; text: string } | undefined> {
  const words = image.config.config?.Entrypoint ?? [];
  const [first = "", second = ""] = words;
  const word = /(^|\/)(ba|da)?sh$/.test(first) && !second.startsWith("-") ? second : first;
  const found = word ? findProgram(image, word) : undefined;
  if (!found || !("node" in found) || found.node.type !== "file") return undefined;
  const head = await image.head(found);
  return head.includes(0) ? undefined : { found, text: head.toString() };
}

async function checkEntrypoint(image: CheckedImage): Promise<Mistake | undefined> {
  const where = "config.Entrypoint";
  const words = image.config.config?.Entrypoint ?? [];
  const remedy = `Set it to a script in the image, ["/entrypoint.sh"], with the lines #!/bin/sh and exec ${command}`;
  if (words.length === 0) return { where, problem: "it is not set", remedy };
  // The same without a script; the rest are arguments.
  if (words.join(" ") === `${python} -m ${worker}`) return undefined;
  const found = findProgram(image, words[0] as string);
  if (!("node" in found)) return { where, problem: `it starts ${words[0]}, and the image ${found.missing}`, remedy };
  const script = await entryScript(image);
  if (!script) return { where, problem: `it is ${JSON.stringify(words)}, which is no script`, remedy };
  const problem = checkCommands(script.found.path, script.text);
  if (problem) return problem;
  return (await checkExecutable(image, found)) ?? checkRuns(image, found);
}

const inert =
  /^(echo|printf|:|true|false|test|\[|\[\[|export|readonly|local|declare|set|unset|shift|cd|alias|trap|\w+=.*)$/s;

const workers = [worker, `-m${worker}`];

function checkCommands(path: string, text: string): Mistake | undefined {
  const starts = reachableCommands(text).find(
    ({ words: [first, ...others] }) =>
      !inert.test(first?.value ?? "") && others.some(({ value }) => workers.includes(value)),
  );
  const remedy = `Let it execute: exec ${command}`;
  if (!starts) return { where: path, problem: `it does not start ${worker}`, remedy };
  const where = `${path}:${starts.line}`;
  const words = starts.words.map(({ value }) => value);
  const at = words.indexOf(python);
  // Options, then `-m MODULE` or `-mMODULE`.
  const isByPython = at >= 0 && /^(-\w+ )*?-m ?sematic\.resolvers\.worker( |$)/.test(words.slice(at + 1).join(" "));
  if (!isByPython) return { where, problem: `it starts ${worker}, but not by ${python} -m`, remedy };
  if (starts.words.some(({ raw }) => /^"\$(@|\{@\})"$/.test(raw))) return undefined;
  return { where, problem: 'it does not pass its arguments on as they are: "$@", with the quotes', remedy };
}

async function checkPython(image: CheckedImage): Promise<Mistake | undefined> {
  const found = image.tree.find(python);
  if (!("node" in found)) {
    return {
      where: python,
      problem: `the image ${found.missing}`,
      remedy: "Install Python 3 there (Debian: apt-get install python3), or make it a link to the interpreter.",
    };
  }
  const problem = (await checkExecutable(image, found)) ?? (await checkRuns(image, found));
  if (problem) return problem;
  // A script may start any interpreter. For a program, the place of its library is known.
  const head = await image.head(found);
  if (head.toString("latin1", 0, 2) === "#!" || hasLibrary(image, found.path)) return undefined;
  return {
    where: python,
    problem: `${found.path} has no standard library beside it (lib/python3…/encodings)`,
    remedy: "Install the whole of Python 3, or make it a link to the interpreter where that is installed.",
  };
}

function hasLibrary(image: CheckedImage, path: string): boolean {
  const prefix = path.split("/").slice(0, -2).join("/");
  const isLibrary = (folder: string, name: string) =>
    /^python3\d+\.zip$/.test(name) ||
    (/^python3(\.\d+)?$/.test(name) && "node" in image.tree.find(`${folder}/${name}/encodings`));
  return [`${prefix}/lib`, `${prefix}/lib64`].some((lib) => image.tree.list(lib).some((name) => isLibrary(lib, name)));
}
