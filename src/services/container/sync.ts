import { Failure, UserError } from "../../core/errors.ts";
import { errorFormat, reportedIn } from "../../core/wire-error.ts";
import { header, paddingOf, trailerSize } from "../../layer/header.ts";
import { type Content, type ContentKind, secretsFolder, syncArguments, volumeFolder } from "../content.ts";
import type { Containers } from "./containers.ts";
import type { VolumeFolder } from "./facts.ts";

export interface SyncOptions {
  readonly service: string;
  readonly image: string;
  readonly files: Readonly<Record<string, Buffer>>;
  readonly notice: (text: string) => void;
}

const user = 1000;

/** The dataset, or one volume for all models of this machine. */
export function volumeOf({ kind, claim }: Content): string {
  return kind === "repositories" && claim !== undefined ? claim : `slipway-${kind}`;
}

export function foldersOf(contents: readonly Content[]): readonly VolumeFolder[] {
  return contents.flatMap((content) =>
    content.mounts.map(({ path, folder }) => ({ volume: volumeOf(content), folder, path })),
  );
}

/** With this machine's network, since sources may be on loopback. Returns the volume's folder here. */
export async function bringContent(containers: Containers, content: Content, options: SyncOptions): Promise<string> {
  const { service, image, files, notice } = options;
  const volume = volumeOf(content);
  const folder = await volumePlace(containers, volume);
  const name = syncName(service, content.kind);
  // An interrupted run leaves it.
  await containers.remove(name);
  const args = [
    "create",
    "--rm",
    `--name=${name}`,
    "--pull=never",
    "--network=host",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    `--user=${user}:${user}`,
    `--env=${errorFormat}=json`,
    `--mount=type=volume,source=${volume},destination=${volumeFolder}`,
    ...containers.limitArguments(),
    image,
    ...syncArguments(content),
  ];
  await containers.ask(args, { image });
  try {
    const entries = Object.entries(files);
    if (entries.length > 0) {
      await containers.ask(["cp", "-", `${name}:/`], { input: archiveOf(secretsFolder(content.kind), files) });
    }
    let error: UserError | Failure | undefined;
    const { status, words } = await containers.attach(name, (line) => {
      const found = reportedIn(line);
      if (found) error = found;
      else notice(line);
    });
    if (status === 0) return folder;
    const problem = error?.problem ?? words.at(-1) ?? `the sync program ended with status ${status}`;
    throw new (error instanceof UserError ? UserError : Failure)(
      { code: error?.code ?? "program-failed", culprit: service },
      `The ${content.kind} of ${service} cannot be fetched: ${problem}`,
      error?.remedy || "Correct that, then apply again.",
    );
  } finally {
    await containers.remove(name);
  }
}

function syncName(service: string, kind: ContentKind): string {
  return `slipway-sync-${service}-${kind}`;
}

export async function removeLeftovers(containers: Containers, service: string): Promise<void> {
  for (const kind of ["models", "repositories"] as const) await containers.remove(syncName(service, kind));
}

async function volumePlace(containers: Containers, name: string): Promise<string> {
  const place = ["volume", "inspect", "--format={{.Mountpoint}}", name];
  const found = await containers.ask(place).catch((error: unknown) => {
    if (/no such volume/i.test(String(error))) return undefined;
    throw error;
  });
  if (found !== undefined) return found;
  await containers.ask(["volume", "create", "--label=app.kubernetes.io/managed-by=slipway", name]);
  return containers.ask(place);
}

/** A tar for `cp`: the files are on no command line, and not on this machine's disk. */
function archiveOf(folder: string, files: Readonly<Record<string, Buffer>>): Buffer {
  const owner = { uid: user, gid: user };
  const path = folder.slice(1);
  const parts = Object.entries(files).flatMap(([name, bytes]) => [
    header({ type: "file", path: `${path}/${name}`, mode: 0o400, ...owner, content: { bytes } }, bytes.length),
    bytes,
    Buffer.alloc(paddingOf(bytes.length)),
  ]);
  const folderHeader = header({ type: "directory", path, mode: 0o700, ...owner }, 0);
  return Buffer.concat([folderHeader, ...parts, Buffer.alloc(trailerSize)]);
}
