// Part of the public types of the package `slipway`, so it uses no Node types.
import { type Mistake, unknownKey } from "./mistake.ts";

/**
 * What a job or a function sees at a path. `claim`: a PersistentVolumeClaim of the namespace; on podman and docker a
 * named volume. `folder`: a folder of this machine, not on Kubernetes. `writable`: whether it may change them.
 * Default: false.
 */
export type Volume =
  | { readonly claim: string; readonly writable?: boolean }
  | { readonly folder: string; readonly writable?: boolean };

/** Volumes by the absolute path at which they are seen. */
export type Volumes = Readonly<Record<string, Volume>>;

const fields = ["claim", "folder", "writable"];

/** Containers have their own content there. The last ones are the system's own folders. */
const taken = ["/slipway", "/proc", "/sys", "/dev", "/run"];
const takenAlone = [
  "/",
  "/tmp",
  "/var/tmp",
  "/home/slipway",
  "/etc",
  "/usr",
  "/var",
  "/home",
  "/bin",
  "/lib",
  "/lib64",
  "/sbin",
];

/** The mistakes in volumes as somebody wrote them. */
export function volumeMistakes(volumes: Readonly<Record<string, unknown>>): Mistake[] {
  const paths = Object.keys(volumes);
  return Object.entries(volumes).flatMap(([path, volume]): Mistake[] => {
    const wrong = pathMistake(path, paths);
    return [...(wrong ? [{ path: [path], isKey: true, ...wrong }] : []), ...volumeProblems(path, volume)];
  });
}

function pathMistake(path: string, all: readonly string[]): Pick<Mistake, "problem" | "remedy"> | undefined {
  const remedy = "Write an absolute path of a folder, such as /data.";
  const parts = path.split("/").slice(1);
  if (!path.startsWith("/")) return { problem: "is not an absolute path", remedy };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (path !== "/" && (parts.some((part) => ["", ".", ".."].includes(part)) || /[\u0000-\u001f:\u007f]/.test(path)))
    return { problem: "is not the plain path of a folder", remedy };
  const owner =
    taken.find((each) => path === each || path.startsWith(`${each}/`)) ?? takenAlone.find((each) => path === each);
  if (owner !== undefined) return { problem: "is a folder that containers have already", remedy };
  const outer = all.find((other) => other !== path && path.startsWith(`${other}/`));
  return outer === undefined ? undefined : { problem: `is inside ${outer}`, remedy: "Give it a path of its own." };
}

function volumeProblems(path: string, volume: unknown): Mistake[] {
  const example = "Write {claim: NAME} or {folder: PATH}.";
  if (typeof volume !== "object" || volume === null || Array.isArray(volume))
    return [{ path: [path], problem: "is not a volume", remedy: example }];
  const given = volume as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((name) => !fields.includes(name));
  if (unknown !== undefined) return [unknownKey([path, unknown], "a field of a volume", fields).mistake];
  const { claim, folder, writable } = given;
  if ((claim === undefined) === (folder === undefined)) {
    const problem = claim === undefined ? "names neither a claim nor a folder" : "is a claim and a folder at once";
    return [{ path: [path], problem, remedy: example }];
  }
  // A name that Kubernetes takes is one of podman and docker.
  if (claim !== undefined && !(typeof claim === "string" && /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(claim))) {
    const remedy = "Write lower-case letters, digits, - and ., with a letter or digit at both ends.";
    return [{ path: [path, "claim"], problem: "is not the name of a claim", remedy }];
  }
  if (folder !== undefined && !(typeof folder === "string" && folder !== "" && !folder.includes("\0")))
    return [{ path: [path, "folder"], problem: "is not a path", remedy: "Give a text." }];
  if (writable === undefined || typeof writable === "boolean") return [];
  return [{ path: [path, "writable"], problem: "is neither true nor false", remedy: "Write one of them." }];
}
