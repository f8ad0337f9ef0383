import type { Api } from "./api.ts";
import type { Event } from "./objects.ts";
import { listAll } from "./watch.ts";

export async function eventsOf(
  { api, namespace }: { readonly api: Api; readonly namespace: string },
  fieldSelector: string,
  signal?: AbortSignal,
): Promise<readonly Event[]> {
  const path = `/api/v1/namespaces/${namespace}/events`;
  const { items } = await listAll<Event>(api, { path, fieldSelector }, signal);
  return items.toSorted((one, other) => timeOf(one) - timeOf(other));
}

export function timeOf({ lastTimestamp, metadata }: Event): number {
  return Date.parse(lastTimestamp ?? metadata.creationTimestamp);
}
