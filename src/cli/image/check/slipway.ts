import { checkHome, checkWritable } from "./folders.ts";
import type { CheckedImage } from "./image.ts";
import { checkExecutable, checkRuns, findProgram } from "./program.ts";
import type { Requirement } from "./requirement.ts";

/** For an image in `SLIPWAY_CONTAINER_IMAGE`: docs/custom-images.md. */
export const slipwayRequirements: readonly Requirement[] = [
  {
    id: "registry",
    title: "The registry has all of the image.",
    ofRegistry: true,
    check: async (image) => image.absent[0],
  },
  {
    id: "layers",
    title: "Every layer can be unpacked and is what the configuration says.",
    ofRegistry: true,
    check: async (image) => image.damaged[0],
  },
  {
    id: "platform",
    title: "It is an image of Linux.",
    check: async ({ config }) =>
      config.os === "linux"
        ? undefined
        : {
            where: "os",
            problem: `the image is for ${config.os}/${config.architecture}`,
            remedy: "Build it for linux: the engines run nothing else.",
          },
  },
  {
    id: "entrypoint",
    title: "The entrypoint is a file that the image has and its user may execute.",
    async check(image) {
      const [word] = image.config.config?.Entrypoint ?? [];
      if (!word) {
        return {
          where: "config.Entrypoint",
          problem: "it is not set, so a function's arguments would be taken for a command",
          remedy: 'Set it to what starts the program: ENTRYPOINT ["/app/main"].',
        };
      }
      const found = findProgram(image, word);
      if ("node" in found) return checkExecutable(image, found);
      return {
        where: "config.Entrypoint",
        problem: `it starts ${word}, and the image ${found.missing}`,
        remedy: "Put the program there, or name one that the image has.",
      };
    },
  },
  {
    id: "program",
    title: "The entrypoint runs on the image's processor, with an interpreter or loader that the image has.",
    async check(image) {
      const [word] = image.config.config?.Entrypoint ?? [];
      const found = word ? findProgram(image, word) : undefined;
      // Programs of another operating system cannot be checked.
      if (!found || !("node" in found) || image.config.os !== "linux") return undefined;
      return found.node.type === "file" ? checkRuns(image, found) : undefined;
    },
  },
  {
    id: "user",
    title: "It runs as a user other than root.",
    async check(image) {
      const user = await image.user();
      if (typeof user === "string" || user.uid !== 0) return undefined;
      return {
        where: "config.User",
        problem: image.config.config?.User ? "it is root" : "it is not set, which means root",
        remedy: "Add a user when the image is built and name it: RUN useradd --create-home app, USER app.",
      };
    },
  },
  { id: "home", title: "That user is known and has a home folder that it may write to.", check: checkHome },
  { id: "tmp", title: "/tmp is a folder that it may write to.", check: (image) => checkWritable(image, "/tmp") },
  {
    id: "folder",
    title: "The working folder exists.",
    check: async (image) => missingFolder(image, "config.WorkingDir", image.config.config?.WorkingDir || "/"),
  },
  {
    id: "runfiles",
    title: "RUNFILES_DIR, where it is set, is the folder with the program's files.",
    check: async (image) => missingFolder(image, "config.Env RUNFILES_DIR", image.variable("RUNFILES_DIR") ?? "/"),
  },
];

function missingFolder(image: CheckedImage, where: string, path: string) {
  const found = image.tree.find(path);
  if ("node" in found && found.node.type === "directory") return undefined;
  const problem = "node" in found ? `${path} is no folder` : `it is ${path}, and the image ${found.missing}`;
  return { where, problem, remedy: `Make the folder when the image is built, or name another.` };
}
