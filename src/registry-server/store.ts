import { BlobStore } from "./store/blobs.ts";
import { StoreLayout } from "./store/layout.ts";
import { ManifestStore } from "./store/manifests.ts";
import { Uploads } from "./store/uploads.ts";

export interface Store {
  readonly layout: StoreLayout;
  readonly blobs: BlobStore;
  readonly uploads: Uploads;
  readonly manifests: ManifestStore;
}

/** Hold the lock before you write to it. @param now the clock, in milliseconds */
export function openStore(data: string, now: () => number = Date.now): Store {
  const layout = new StoreLayout(data);
  const blobs = new BlobStore(layout, now);
  return { layout, blobs, uploads: new Uploads(layout, blobs), manifests: new ManifestStore(layout, blobs, now) };
}
