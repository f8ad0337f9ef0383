import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import { ReadLimit } from "../core/read-whole.ts";
import { type Api, maximumAnswer } from "./api.ts";
import { mayPass, refusalOf } from "./api-error.ts";
import type { List, Metadata } from "./objects.ts";
import type { Quiet } from "./quiet.ts";

const watchTime = 240;
/** Milliseconds between attempts to reach a server, and until the last one. */
const interval = 1000;
const patience = 5 * 60_000;
const maximumList = 128 * 1024 * 1024;
/** Objects in one response: fewer if it is too long, because Secrets and ConfigMaps may have 1 MiB each. */
const pageSizes = [100, 10, 1];

export interface Selection {
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** For lists only. Watches have whole objects. */
  readonly accept?: string;
}

/** Lists all objects of a selection. `version` is where a watch continues. */
export async function listAll<Item>(
  api: Api,
  { path, accept, ...selectors }: Selection,
  signal?: AbortSignal,
): Promise<{ readonly items: readonly Item[]; readonly version: string }> {
  const items: Item[] = [];
  const room = { bytes: maximumList };
  let next: string | undefined;
  let sizes = pageSizes;
  for (;;) {
    let page: List<Item>;
    try {
      page = await api.ask("GET", path, {
        query: { ...selectors, limit: sizes[0], continue: next },
        room,
        accept,
        signal,
      });
    } catch (error) {
      if (sizes.length === 1 || !((error as Error).cause instanceof ReadLimit)) throw error;
      sizes = sizes.slice(1);
      continue;
    }
    // An empty list of metadata has null.
    for (const item of (page.items as readonly Item[] | null) ?? []) items.push(item);
    next = page.metadata.continue || undefined;
    if (next === undefined) return { items, version: page.metadata.resourceVersion };
  }
}

/**
 * Calls back with all objects, now and after every change, until aborted. Survives broken connections, restarts and
 * expired versions. The library's informer stops at most errors, and its Watch drops the reason of a refusal.
 *
 * @throws a refusal, and Failure if the server does not answer for five minutes
 */
export async function watchAll<Item extends { readonly metadata: Metadata }>(
  api: Api,
  selection: Selection,
  options: { readonly signal: AbortSignal; readonly quiet?: Pick<Quiet, "onQuiet" | "answered"> },
  onState: (items: ReadonlyMap<string, Item>) => void,
): Promise<void> {
  const { signal, quiet } = options;
  const items = new Map<string, Item>();
  let version: string | undefined;
  let quietSince: number | undefined;
  const answered = () => {
    quietSince = undefined;
    quiet?.answered();
  };
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const state = await listAll<Item>(api, selection, signal);
        items.clear();
        for (const item of state.items) items.set(item.metadata.name, item);
        version = state.version;
        answered();
        onState(items);
      }
      const begun = Date.now();
      for await (const { type, object } of events<Item>(api, selection, version, signal, answered)) {
        // The version has expired.
        if (type === "ERROR") {
          version = undefined;
          break;
        }
        version = object.metadata.resourceVersion;
        if (type === "BOOKMARK") continue;
        if (type === "DELETED") items.delete(object.metadata.name);
        else items.set(object.metadata.name, object);
        onState(items);
      }
      // A proxy may end every watch at once.
      if (Date.now() - begun < interval) await pause(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (refusalOf(error)?.status === 410) {
        version = undefined;
        await pause(signal);
        continue;
      }
      if (!mayPass(error)) throw error;
      if (quietSince === undefined) {
        quietSince = Date.now();
        quiet?.onQuiet(error as Error);
      } else if (Date.now() - quietSince > patience) throw error;
      await pause(signal);
    }
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(interval, undefined, { signal }).catch(() => {});
}

interface WatchEvent<Item> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Item;
}

/** Changes since a version. @param answered called when the server accepts the watch */
async function* events<Item>(
  api: Api,
  { path, labelSelector, fieldSelector }: Selection,
  version: string,
  signal: AbortSignal,
  answered: () => void,
): AsyncGenerator<WatchEvent<Item>> {
  const query = {
    labelSelector,
    fieldSelector,
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: version,
    timeoutSeconds: watchTime,
  };
  const body = await api.stream(path, { query, signal });
  answered();
  try {
    // The next connection repeats a line that was cut off.
    let rest = "";
    for await (const piece of body.setEncoding("utf8")) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > maximumAnswer) {
        throw api.tooLong(path, new ReadLimit(`has a line of more than ${maximumAnswer} characters`));
      }
      for (const line of lines) yield JSON.parse(line) as WatchEvent<Item>;
    }
  } catch (error) {
    signal.throwIfAborted();
    // Nothing has changed. If the server is away, the next watch fails.
    if ((error as { code?: unknown }).code === "UND_ERR_BODY_TIMEOUT") return;
    throw refusalOf(error) === undefined && !(error instanceof Failure) ? api.broken(path, error) : error;
  } finally {
    body.destroy();
  }
}
