import { containerSecurity, literally } from "../../engine/kubernetes/security.ts";
import { type Content, secretsFolder, syncArguments, volumeFolder } from "../content.ts";

/** What pods have so that content is there before their program starts. */
export interface PodContent {
  readonly volumes: readonly object[];
  readonly initContainers: readonly object[];
  /** Of the program's container. */
  readonly mounts: readonly object[];
}

/** Of a service that nothing is brought to. */
export const noContent: PodContent = { volumes: [], initContainers: [], mounts: [] };

/** The user and group that the sync image runs as. */
export const syncUser = 1000;

/**
 * The volumes, init containers and mounts of content. Each container of the sync program sees its own volume and its own secrets; the program's sees
 * folders of content, read-only.
 *
 * @param syncImage by digest
 */
export function podContent(contents: readonly Content[], syncImage: string): PodContent {
  return {
    volumes: contents.flatMap(volumesOf),
    initContainers: contents.map((content) => initContainer(content, syncImage)),
    mounts: contents.flatMap(({ kind, mounts }) =>
      mounts.map(({ path, folder }) => ({ name: kind, mountPath: path, subPath: folder, readOnly: true })),
    ),
  };
}

function volumesOf({ kind, claim, secrets }: Content): object[] {
  const volume = claim === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: claim } };
  return [
    { name: kind, ...volume },
    ...(secrets.length === 0
      ? []
      : [
          {
            name: secretsName(kind),
            projected: {
              defaultMode: 0o440,
              sources: secrets.map(({ secret, key, file }) => ({
                secret: { name: secret, items: [{ key, path: file }] },
              })),
            },
          },
        ]),
  ];
}

function initContainer(content: Content, image: string): object {
  const { kind, secrets } = content;
  return {
    name: `sync-${kind}`,
    image,
    args: literally(syncArguments(content)),
    volumeMounts: [
      { name: kind, mountPath: volumeFolder },
      ...(secrets.length === 0 ? [] : [{ name: secretsName(kind), mountPath: secretsFolder(kind), readOnly: true }]),
    ],
    // Where it fails, that it says why is worth more than its status.
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { ...containerSecurity, runAsUser: syncUser, runAsGroup: syncUser },
  };
}

function secretsName(kind: string): string {
  return `${kind}-secrets`;
}
