import { randomBytes } from "node:crypto";
import { CheckedImage } from "../../../src/cli/image/check/image.ts";
import { checkRequirements } from "../../../src/cli/image/check/requirement.ts";
import { slipwayRequirements } from "../../../src/cli/image/check/slipway.ts";
import { fetchImage } from "../../../src/cli/image/named-image.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { pullBase } from "../../../src/build/pull/pull.ts";
import { copyImage } from "../../../src/registry/client/copy.ts";
import { fetchManifest } from "../../../src/registry/client/fetch-manifest.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { pushImages } from "../../../src/registry/client/push.ts";
import { imageOf, quickRetry } from "../../../src/registry/client/testdata/images.ts";
import { operation, serveTasks } from "./victim-side.ts";


/** What is done with a registry. */
export interface HostileTask {
  readonly what: "list" | "inspect" | "pull" | "copy" | "push";
  readonly host: string;
  /** One that is not hostile. */
  readonly other: string;
}

const repository = "team/app";

/** Waits that a test does not notice, in milliseconds. */
const timeouts = { idleTimeout: 500, firstAnswerTimeout: 500, answerTimeout: 1500 };

function open(host: string) {
  const credential = { kind: "password", username: "u", password: "geheim" } as const;
  return openRegistry(host, {
    retry: { ...quickRetry, attempts: 3, budget: 1000 },
    findCredential: async () => ({ credential, source: "a test", searched: [], problems: [] }),
    ...timeouts,
  });
}

async function run({ what, host, other }: HostileTask, tag: string): Promise<void> {
  const client = open(host);
  const to = open(other);
  try {
    if (what === "list") console.log((await client.listTags(repository)).length);
    if (what === "inspect") {
      const reference = parseReference(`${host}/${repository}:${tag}`);
      const fetched = await fetchImage({ client, repository, name: tag, reference });
      const checked = await CheckedImage.read({ client, repository, name: tag, reference }, fetched);
      await checkRequirements(checked, slipwayRequirements);
    }
    if (what === "pull") {
      const found = await client.getManifest(repository, tag);
      const digest = found?.descriptor.digest ?? "";
      const request = { image: `${host}/${repository}`, digest, platforms: [], known: ["linux/amd64"] };
      await pullBase(request, async () => open(host));
    }
    if (what === "copy") {
      const fetched = await fetchManifest(client, repository, tag);
      await copyImage({ from: { client, repository }, to: { client: to, repository }, fetched, tags: [tag], referrers: true });
    }
    if (what === "push") {
      const image = imageOf(client, { repository, tags: ["new"], layers: [randomBytes(200_000), "small"] });
      await pushImages([image], { check: "tags" });
    }
  } finally {
    client.close();
    to.close();
  }
}

serveTasks(async (task: HostileTask) => {
  for (const tag of task.what === "inspect" || task.what === "copy" ? ["v1", "index"] : ["v1"]) {
    await operation(`${task.what} ${tag}`, () => run(task, tag));
  }
});
