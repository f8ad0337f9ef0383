import { join, posix, relative } from "node:path";
import type { Mount } from "../containers/run-description.ts";
import { UserError } from "../core/errors.ts";
import { temporaryFolder } from "../core/temporary-folder.ts";
import { cacheFolder } from "../core/user-folders.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { type AppendOptions, appendLayers } from "../signatures/append.ts";
import type { LocalCode } from "./code.ts";
import { codeLayer, folderLayer, imageCodeFolder } from "./code-layer.ts";

export interface PlacedCode {
  /** The interpreter's image, or one with the code on top of it. */
  readonly image: RunnableImage;
  /** The first is the working directory, all are searched for modules. */
  readonly folders: readonly string[];
  readonly mounts: readonly Mount[];
}

const codeFolder = `/${imageCodeFolder}`;

export interface PlaceOptions extends Pick<AppendOptions, "platform" | "env" | "embedded"> {
  /** Mounting costs nothing. If the engine is on another machine, folders become a layer, as commits always do. */
  readonly canMount: boolean;
}

/** Brings code to `/slipway/code`: a commit as a layer on the image, folders mounted or as a layer too. */
export async function placeCode(image: RunnableImage, code: LocalCode, options: PlaceOptions): Promise<PlacedCode> {
  const [first] = code.folders;
  if (first === undefined) return { image, folders: [], mounts: [] };
  if (code.checkout !== undefined) {
    const layer = await codeLayer(join(cacheFolder(options.env), "git"), code.checkout);
    const inside = posix.join(codeFolder, relative(code.checkout, first)).replace(/\/$/, "");
    return { image: (await append(image, layer, options)).image, folders: [inside], mounts: [] };
  }
  const folders = code.folders.map((_, index) => `${codeFolder}/${index}`);
  if (options.canMount) return { image, folders, mounts: mountsOf(code.folders) };
  using draft = temporaryFolder("slipway-code-");
  const layer = await folderLayer(code.folders, join(draft.path, "code.tar.gz"));
  return { image: (await append(image, layer, options)).image, folders, mounts: [] };
}

function append(image: RunnableImage, layer: Awaited<ReturnType<typeof codeLayer>>, options: PlaceOptions) {
  const { canMount: _, ...rest } = options;
  return appendLayers({ ...rest, image, layers: [layer] });
}

function mountsOf(folders: readonly string[]): Mount[] {
  const strange = folders.find((folder) => /[\r\n]/.test(folder));
  if (strange !== undefined) {
    throw new UserError(
      { code: "field-invalid", culprit: "code_paths" },
      `code_paths: container engines cannot mount ${strange}, because its name contains a line break.`,
      "Rename it.",
    );
  }
  return folders.map((source, index) => ({ source, target: `${codeFolder}/${index}` }));
}
