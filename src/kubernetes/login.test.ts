import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { User } from "@kubernetes/client-node/dist/config_types.js";
import { expect, it, onTestFinished, vi } from "vitest";
import { executable } from "../core/testdata/executable.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { openCluster } from "./cluster.ts";
import { Logins, withOwnLogin } from "./login.ts";
import { apiServer, kubeconfigOf, list, refuse } from "./testdata/api-server.ts";
import { listAll } from "./watch.ts";

const selection = { path: "/api/v1/namespaces/default/pods" };

/** Asks a server that takes the tokens one after the other, each once. @returns what it was given */
async function ask(user: object, takes: readonly string[], files: Record<string, string> = {}) {
  const given: string[] = [];
  let next = 0;
  const env = await apiServer(({ headers }, response) => {
    given.push(headers.authorization ?? "");
    if (headers.authorization !== `Bearer ${takes[next]}`) return refuse(response, 401);
    next += 1;
    response.end(list([]));
  });
  const path = env["KUBECONFIG"] ?? "";
  const { server } = await openCluster(env);
  writeFileSync(path, kubeconfigOf(server, "test", user));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dirname(path), name), text);
  const { api } = await openCluster(env);
  const again = () => listAll(api, selection);
  return { given, again, folder: dirname(path) };
}

/** A plugin whose script can use `count`, the number of the time it runs. */
function plugin(script: string): { command: string; log: string } {
  const log = `${executable("log", "")}s`;
  const command = executable("plugin", `#!/bin/sh\necho x >>${log}\ncount=$(wc -l <${log})\n${script}\n`);
  return { command, log };
}

const token = `echo '{"status": {"token": "t-'$count'"}}'`;

it("reads a token file beside the kubeconfig, and again when the token was rotated", async () => {
  const { again, folder, given } = await ask({ tokenFile: "token" }, ["one", "two"], { token: "one\n" });
  await again();
  writeFileSync(join(folder, "token"), "two\n");
  await again();
  expect(given).toEqual(["Bearer one", "Bearer one", "Bearer two"]);
});

it("asks a plugin once for many questions, and again when its credential is refused", async () => {
  const { command, log } = plugin(`echo "$KUBERNETES_EXEC_INFO" >${executable("info", "")}\n${token}`);
  const { again, given } = await ask({ exec: { command } }, ["t-1", "t-2"]);
  await Promise.all([again(), again()]).catch(() => {});
  expect(given).toContain("Bearer t-2");
  expect(readFileSync(log, "utf8").length).toBeLessThanOrEqual(6);
});

it("asks again for a moment when a plugin that has worked fails", async () => {
  const { command } = plugin(`[ $count != 2 ] || { echo "no network" >&2; exit 1; }\n${token}`);
  const { again, given } = await ask({ exec: { command } }, ["t-1", "t-3"]);
  await again();
  await again();
  expect(given).toEqual(["Bearer t-1", "Bearer t-1", "Bearer t-3"]);
});

it.each([
  ["exits", "echo 'Your session has ended.' >&2; exit 7", "ended with status 7: Your session has ended."],
  ["prints something else", "echo hello", "printed no ExecCredential"],
])("shows why a plugin that %s gives no credential", async (_, script, words) => {
  const { again } = await ask({ exec: { command: plugin(script).command } }, []);
  await expect(again()).rejects.toThrow(userErrorWith("cluster-login", "tester"));
  await expect(again()).rejects.toThrow(words);
});

it("shows how to install a plugin that is missing", async () => {
  const { again } = await ask({ exec: { command: "absent-plugin", installHint: "Run: brew install it." } }, []);
  await expect(again()).rejects.toThrow(/absent-plugin of user tester is not installed\.\nRun: brew install it\./);
});

it("does not wait for ever for a plugin", async () => {
  const exec = { command: executable("plugin", "#!/bin/sh\nsleep 5\n"), provideClusterInfo: true };
  const user = withOwnLogin({ name: "u", exec } as User, undefined, "/");
  const logins = new Logins({ PATH: "/bin:/usr/bin" }, () => null, 50);
  const begun = performance.now();
  await expect(logins.applyAuthentication(user, {})).rejects.toThrow("did not end within 0.05 s");
  expect(performance.now() - begun).toBeLessThan(4000);
});

it("names a plugin, or a cluster, that takes its time", { timeout: 60_000 }, async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const told = (words: RegExp) =>
    vi.waitUntil(() => said.mock.calls.map(String).find((line) => words.test(line)), { timeout: 20_000, interval: 50 });
  const go = `${executable("go", "")}-on`;
  const { command } = plugin(`while [ ! -e ${go} ]; do sleep 0.1; done; ${token}`);
  const { again } = await ask({ exec: { command } }, ["t-1"]);
  const answered = again();
  await told(/^slipway: Waiting for the credential plugin \S+ of user tester \(\d+ s\)\n/);
  writeFileSync(go, "");
  await answered;
  const held = Promise.withResolvers<void>();
  const env = await apiServer(async (_, response) => {
    await held.promise;
    response.end(list([]));
  });
  const { api } = await openCluster(env);
  const late = Promise.all([listAll(api, selection), listAll(api, selection)]);
  said.mockClear();
  const waiting = /^slipway: Waiting for cluster test \(\S+\) to answer \(\d+ s\)\n/;
  const lines = () => said.mock.calls.map(String).filter((line) => waiting.test(line));
  await vi.waitUntil(() => lines().length >= 2, { timeout: 30_000 });
  // One line for any number of questions.
  expect(new Set(lines()).size).toBe(lines().length);
  held.resolve();
  await late;
});
