import { containerSecurity, literally } from "../../kubernetes/security.ts";
import { secretObjectName } from "../../secrets/cluster.ts";
import { type Content, type ContentKind, secretsFolder, syncArguments, volumeFolder } from "../content.ts";

/** The parts of a pod that fetch content before its program starts. */
export interface PodContent {
  readonly volumes: readonly object[];
  readonly initContainers: readonly object[];
  /** Of the program's container. */
  readonly mounts: readonly object[];
  /** Texts that become files. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether the user's credential for the sync image may be copied into the cluster. */
  readonly mayCopy: boolean;
}

export const noContent: PodContent = { volumes: [], initContainers: [], mounts: [], annotations: {}, mayCopy: false };

export const syncUser = 1000;

/**
 * Each container of the sync program sees only its own volume and secrets. The program's container sees
 * folders of the volumes, read-only.
 */
export function podContent(contents: readonly Content[], syncImage: string, mayCopy = false): PodContent {
  return {
    mayCopy,
    volumes: contents.flatMap(volumesOf),
    initContainers: contents.map((content) => initContainer(content, syncImage)),
    mounts: contents.flatMap(({ kind, mounts }) =>
      mounts.map(({ path, folder }) => ({ name: kind, mountPath: path, subPath: folder, readOnly: true })),
    ),
    annotations: Object.fromEntries(
      contents.flatMap(({ kind, texts = [] }) => texts.map(({ text, file }) => [annotationOf(kind, file), text])),
    ),
  };
}

function annotationOf(kind: ContentKind, file: string): string {
  return `slipway/${kind}.${file}`;
}

function volumesOf(content: Content): object[] {
  const { kind, claim, secrets, texts = [] } = content;
  const volume = claim === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: claim } };
  return [
    { name: kind, ...volume },
    ...(hasFiles(content)
      ? [
          {
            name: filesName(kind),
            projected: {
              defaultMode: 0o440,
              sources: [
                // The sync program reports a missing secret.
                ...secrets.map(({ secret, key, file }) => ({
                  secret: { name: secretObjectName(secret), items: [{ key, path: file }], optional: true },
                })),
                ...texts.map(({ file }) => ({
                  downwardAPI: {
                    items: [
                      {
                        path: file,
                        fieldRef: {
                          apiVersion: "v1",
                          fieldPath: `metadata.annotations['${annotationOf(kind, file)}']`,
                        },
                      },
                    ],
                  },
                })),
              ],
            },
          },
        ]
      : []),
  ];
}

function initContainer(content: Content, image: string): object {
  const { kind } = content;
  return {
    name: `sync-${kind}`,
    image,
    args: literally(syncArguments(content)),
    volumeMounts: [
      { name: kind, mountPath: volumeFolder },
      ...(hasFiles(content) ? [{ name: filesName(kind), mountPath: secretsFolder(kind), readOnly: true }] : []),
    ],
    // The log of a failure matters more than its status.
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { ...containerSecurity, runAsUser: syncUser, runAsGroup: syncUser },
  };
}

function hasFiles({ secrets, texts = [] }: Content): boolean {
  return secrets.length > 0 || texts.length > 0;
}

function filesName(kind: ContentKind): string {
  return `${kind}-files`;
}
