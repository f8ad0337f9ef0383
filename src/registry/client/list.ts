import { ReadLimit } from "../../core/read-whole.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { type JsonNode, parseJson } from "../../oci/json.ts";
import { type ImageIndex, parseManifest } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { AccessRefused, notARegistry, protocolError, type Step } from "./refusal.ts";
import { pulling } from "./scope.ts";
import type { RegistryResponse, Session } from "./session.ts";

/** Bytes: 100,000 tags of 80 characters. */
const maximumList = 8 * 1024 * 1024;

/** 100,000 tags by 50. */
const mostPages = 2000;

/** Times of one answer. */
const listPatience = 5;

/** The specification has 404; older registries do not know the path, or its method. */
const noReferrersApi = [400, 404, 405, 406, 501];

/** Distribution specification 1.1, "Listing Tags". Empty if there is no such repository. */
export async function listTags(session: Session, repository: string): Promise<string[]> {
  const { registry } = session.endpoint;
  const tags: string[] = [];
  for await (const page of fetchPages(session, { doing: "listing tags", repository }, `/v2/${repository}/tags/list`)) {
    const list = parseList(registry, page, `Tag list of ${registry}/${repository}`).get("tags");
    // Not as arguments of `push`: 100,000 of them overflow the stack.
    if (list.present) for (const tag of list.strings()) tags.push(tag);
  }
  return tags;
}

export async function listRepositories(session: Session): Promise<string[] | undefined> {
  const { registry } = session.endpoint;
  const names: string[] = [];
  let answered = false;
  try {
    for await (const page of fetchPages(session, { doing: "listing repositories" }, "/v2/_catalog")) {
      answered = true;
      const list = parseList(registry, page, `Repositories of ${registry}`);
      for (const name of list.get("repositories").strings()) names.push(name);
    }
  } catch (error) {
    if (error instanceof AccessRefused) return undefined;
    throw error;
  }
  return answered ? names : undefined;
}

/** Undefined: no such API (distribution specification 1.1, "Unavailable Referrers API"). */
export async function listReferrers(
  session: Session,
  repository: string,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const step = { doing: `asking what refers to ${subject}`, repository };
  let found: Descriptor[] | undefined;
  for await (const page of fetchPages(session, step, `/v2/${repository}/referrers/${subject}`, noReferrersApi)) {
    found = [...(found ?? []), ...parseReferrers(session, page, repository, subject)];
  }
  session.note("referrers", found !== undefined);
  return found;
}

export function parseReferrers(
  { endpoint }: Session,
  bytes: Uint8Array,
  repository: string,
  subject: Digest,
): readonly Descriptor[] {
  const document = `List of what refers to ${subject} in ${endpoint.registry}/${repository}`;
  return (parseManifest(bytes, { mediaType: mediaTypes.index, document }) as ImageIndex).manifests;
}

function parseList(registry: string, page: Uint8Array, document: string): JsonNode {
  return parseJson(page, document, notARegistry, { code: "registry-failed", culprit: registry });
}

/** Distribution specification, "Listing tags", and RFC 5988. No pages if the status is one of `absent`. */
async function* fetchPages(
  session: Session,
  step: Step,
  first: string,
  absent: readonly number[] = [404],
): AsyncGenerator<Buffer> {
  const access = step.repository === undefined ? [] : pulling(step.repository);
  const seen = new Set<string>();
  const start = performance.now();
  let size = 0;
  let next: string | undefined = first;
  while (next !== undefined) {
    seen.add(next);
    const request = { method: "GET", url: next, access, collect: maximumList, step } as const;
    const response: RegistryResponse = await session.send(request);
    if (!(await session.found(step, response, absent))) return;
    size += response.bytes.length;
    if (size > maximumList) throw session.limitError(new ReadLimit(`has more than ${maximumList} bytes`), step);
    yield response.bytes;
    next = nextPage(response.headers["link"] as string | undefined, new URL(next, session.endpoint.base));
    if (next === undefined) return;
    if (seen.has(next)) {
      const problem = `gives the same page again while ${step.doing} in ${step.repository}`;
      throw protocolError(session.endpoint.registry, problem);
    }
    if (seen.size >= mostPages || performance.now() - start > listPatience * session.answerTimeout) {
      throw session.limitError(new ReadLimit(`did not end after ${seen.size} pages`), step);
    }
  }
}

/** From `Link: <URL>; rel="next"`, only followed on the registry itself. */
function nextPage(link: string | undefined, base: URL): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link ?? "")?.[1];
  if (target === undefined || !URL.canParse(target, base.href)) return undefined;
  const url = new URL(target, base);
  return url.pathname + url.search;
}
