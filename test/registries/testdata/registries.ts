import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { requestToken } from "../../../src/registry-server/client.ts";
import { serverOfTest } from "../../../src/registry-server/testdata/fixture.ts";
import { startCraneRegistry } from "./crane-registry.ts";
import { startDockerRegistry } from "./docker-registry.ts";

/** A registry, and how other programs reach it. */
interface Started {
  readonly client: RegistryClient;
  readonly host: string;
  /** Variables of a program that may read and write the repository `team/app`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Starts registries without the referrers API, and one with it. */
export const registries: Readonly<Record<string, () => Promise<Started>>> = {
  "docker-registry": async () => start(await startDockerRegistry({ auth: "none" })),
  "crane's registry": async () => start(await startCraneRegistry()),
  "the embedded registry": async () => {
    const { paths, host } = await serverOfTest();
    const { token } = await requestToken(paths.socket, { repository: "team/app", actions: ["pull", "push"] });
    return start(host, { socketPath: paths.socket, token });
  },
};

function start(host: string, embedded?: { readonly socketPath: string; readonly token: string }): Started {
  const client = openRegistry(host, embedded ? { embedded } : {});
  onTestFinished(() => client.close());
  const home = temporaryFolder();
  mkdirSync(join(home, ".docker"));
  const auth = Buffer.from(`token:${embedded?.token}`).toString("base64");
  writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ auths: embedded ? { [host]: { auth } } : {} }));
  mkdirSync(join(home, ".regctl"));
  const hosts = { [host]: { tls: "disabled", hostname: host, ...(embedded ? { user: "token", pass: embedded.token } : {}) } };
  writeFileSync(join(home, ".regctl/config.json"), JSON.stringify({ hosts }));
  return { client, host, env: { PATH: process.env["PATH"], HOME: home } };
}
