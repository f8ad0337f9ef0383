import type { Volumes } from "../config/volumes.ts";
import { claimsOf } from "../containers/volumes.ts";
import { UserError } from "../core/errors.ts";
import { refusalOf } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";

/** Refuses a folder, and a missing claim, for which pods would wait forever, unless this user may not read it. */
export async function requireClaims({ api, namespace }: Cluster, volumes: Volumes = {}): Promise<void> {
  await Promise.all(
    claimsOf(volumes).map(async ({ path, claim }) => {
      const url = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}`;
      const status = await api.ask("GET", url).then(
        () => 200,
        (error) => refusalOf(error)?.status,
      );
      if (status !== 404) return;
      throw new UserError(
        { code: "volume-unusable", culprit: path },
        `volumes: ${path} names ${claim}, and namespace ${namespace} has no claim of that name.`,
        "Make the PersistentVolumeClaim, or name another one.",
      );
    }),
  );
}
