import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { folderOfTest, git } from "../../git/testdata/git-repository.ts";
import { servedRepository } from "../../git/testdata/git-server.ts";
import { authoritiesFile, type RepositoryToSync, repositoriesContent } from "../repositories.ts";
import { bringRepositories } from "./repositories.ts";

/** A repository behind a server that only those trust who were told to, and a volume. */
async function served(options: Parameters<typeof servedRepository>[0] = {}) {
  const { repository, server, url } = await servedRepository(options);
  const volume = folderOfTest();
  const secrets = folderOfTest();
  writeFileSync(join(secrets, authoritiesFile), readFileSync(server.certificate));
  const said: string[] = [];
  const env = { PATH: process.env["PATH"] };
  const common = { volume, secrets, env, say: (text: string) => said.push(text) };
  const bring = (...repositories: RepositoryToSync[]) => bringRepositories({ ...common, repositories });
  const bringFor = (service: string, repository: RepositoryToSync) =>
    bringRepositories({ ...common, repositories: [repository], service });
  const login = (password: string) => {
    writeFileSync(join(secrets, "0.username"), "me");
    writeFileSync(join(secrets, "0.password"), password);
  };
  const trust = (certificate: string) => appendFileSync(join(secrets, authoritiesFile), readFileSync(certificate));
  return { repository, server, url, volume, bring, bringFor, said, login, trust };
}

it("clones a commit into its folder, once, whatever comes after", async () => {
  const { repository, server, url, volume, bring } = await served();
  const commit = repository.commit({ "a.txt": "one" });
  repository.commit({ "a.txt": "two" });
  const toSync = { url, commit, folder: `repositories/x/${commit}` };
  await bring(toSync);
  const folder = join(volume, toSync.folder);
  expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("one");
  expect(git(folder, "remote", "get-url", "origin")).toBe(url);
  expect(statSync(folder).mode & 0o777).toBe(0o555);
  const asked = server.requests.length;
  expect(asked).toBeGreaterThan(0);
  await bring(toSync);
  expect(server.requests).toHaveLength(asked);
  expect(readdirSync(join(volume, "drafts", "repositories-x"))).toEqual([]);
});

it("keeps what it found first where nobody said which commit", async () => {
  const { repository, url, volume, bring } = await served();
  repository.commit({ "a.txt": "one" });
  const toSync = { url, folder: "repositories/x/first" };
  await bring(toSync);
  repository.commit({ "a.txt": "two" });
  await bring(toSync);
  expect(readFileSync(join(volume, toSync.folder, "a.txt"), "utf8")).toBe("one");
});

it("gives the password from the file to the server that asks, and leaves it nowhere", async () => {
  const password = crypto.randomUUID();
  const { repository, server, url, volume, bring, login, said } = await served({ password });
  const commit = repository.commit({ "a.txt": "one" });
  login(password);
  await bring({ url, commit, folder: `repositories/x/${commit}`, secret: "token", login: "0" });
  expect(server.requests.some((request) => request.endsWith("with a password"))).toBe(true);
  const everything = readdirSync(volume, { recursive: true, encoding: "utf8" })
    .map((path) => join(volume, path))
    .filter((path) => statSync(path).isFile());
  expect(everything.length).toBeGreaterThan(5);
  for (const file of everything) expect(readFileSync(file).includes(password), file).toBe(false);
  expect(said.join("\n")).not.toContain(password);
});

it("says what is wrong with a password, and what to do, and not what it is", async () => {
  const { repository, url, volume, bring, login } = await served({ password: "hunter2" });
  const commit = repository.commit({ "a.txt": "one" });
  const toSync = { url, commit, folder: `repositories/x/${commit}` };
  const withSecret = { ...toSync, secret: "token", login: "0" };
  await expect(bring(toSync)).rejects.toThrow(userErrorWith("git-login", url));
  await expect(bring(withSecret)).rejects.toThrow(userErrorWith("secret-not-found", "token"));
  for (const [password, code, culprit] of [
    ["hunter3", "git-login", url],
    ["hunter2\nmore", "credential-invalid", "token"],
  ] as const) {
    login(password);
    const refused = expect(bring(withSecret)).rejects;
    await refused.toThrow(userErrorWith(code, culprit));
    await refused.not.toThrow("hunter");
  }
  expect(existsSync(join(volume, toSync.folder))).toBe(false);
  login("hunter2");
  await bring(withSecret);
  expect(existsSync(join(volume, toSync.folder))).toBe(true);
});

it("never gives the password to another server, which a submodule may name", async () => {
  const inner = await served({ password: "hunter4" });
  inner.repository.commit({ "a.txt": "in" });
  const { repository, url, bring, login, trust } = await served({ password: "hunter2" });
  trust(inner.server.certificate);
  writeFileSync(join(repository.folder, ".gitmodules"), `[submodule "inner"]\n\tpath = inner\n\turl = ${inner.url}\n`);
  mkdirSync(join(repository.folder, "inner"));
  const tip = git(inner.repository.folder, "rev-parse", "HEAD");
  git(repository.folder, "update-index", "--add", "--cacheinfo", `160000,${tip},inner`);
  git(repository.folder, "add", ".gitmodules");
  git(repository.folder, "commit", "--quiet", "--message", "Add a submodule");
  const commit = git(repository.folder, "rev-parse", "HEAD");
  login("hunter2");
  const toSync = { url, commit, folder: `repositories/x/${commit}`, secret: "token", login: "0" };
  await expect(bring(toSync)).rejects.toThrow(userErrorWith("git-login", new RegExp(`^${inner.url}`)));
  expect(inner.server.requests).not.toEqual([]);
  expect(inner.server.requests.filter((request) => request.endsWith("with a password"))).toEqual([]);
});

it("clones once for any number of pods that share the volume", async () => {
  const { repository, server, url, volume, bring, said } = await served();
  const commit = repository.commit({ "a.txt": "one" });
  const toSync = { url, commit, folder: `repositories/x/${commit}` };
  await Promise.all([bring(toSync), bring(toSync), bring(toSync)]);
  expect(server.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  expect(said.filter((text) => text.endsWith("waiting for another pod that clones it"))).toHaveLength(2);
  expect(readFileSync(join(volume, toSync.folder, "a.txt"), "utf8")).toBe("one");
});

it("removes a commit that no service has named for a week, and says so", async () => {
  const { repository, url, volume, bringFor, said } = await served();
  const [one, two] = [repository.commit({ "a.txt": "one" }), repository.commit({ "a.txt": "two" })].map((commit) => ({
    url,
    commit,
    folder: `repositories/x/${commit}`,
  })) as [RepositoryToSync, RepositoryToSync];
  await bringFor("web", one);
  await bringFor("web", two);
  expect(existsSync(join(volume, one.folder)), "pods of before the update may still run").toBe(true);
  const path = join(volume, "services/repositories/web.json");
  const use = JSON.parse(readFileSync(path, "utf8"));
  const former = { [one.folder]: new Date(Date.now() - 8 * 86_400_000).toISOString() };
  writeFileSync(path, JSON.stringify({ ...use, former }));
  await bringFor("web", two);
  expect([one, two].map(({ folder }) => existsSync(join(volume, folder)))).toEqual([false, true]);
  expect(said).toContain(`${one.folder}: removed, because no service has named it for 7 days`);
  expect(readdirSync(join(volume, "drafts"))).not.toContain("repositories-removed");
});

it("goes on where another was ended", async () => {
  const { repository, url, volume, bring } = await served();
  const commit = repository.commit({ "a.txt": "one", "b/c.txt": "two" });
  const left = join(volume, "drafts/repositories-x/left/sealed");
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, "file"), "half");
  git(volume, "init", "--quiet", "half");
  await bring({ url, commit, folder: `repositories/x/${commit}` });
  expect(readdirSync(join(volume, "drafts/repositories-x"))).toEqual([]);
});

it("has a place for each commit of each address, and users and passwords in no argument", () => {
  const repository = { url: "https://a.io/b.git", name: "b", username: "me", secret: "token" };
  const [pinned, other, open] = [
    { ...repository, commit: "1".repeat(40) },
    { url: "https://a.io/c.git", name: "c", commit: "1".repeat(40) },
    { url: "https://a.io/d.git", name: "d" },
  ];
  const content = repositoriesContent(
    { dataset: "data", mountPath: "/opt/repos", repositories: [pinned, other, open] },
    "PEM",
  );
  expect(content).toMatchObject({ kind: "repositories", claim: "data" });
  expect(content.mounts.map(({ path }) => path)).toEqual(["/opt/repos/b", "/opt/repos/c", "/opt/repos/d"]);
  const folders = content.mounts.map(({ folder }) => folder);
  expect(new Set(folders).size).toBe(3);
  expect(folders[0]).toMatch(/^repositories\/[0-9a-f]{16}\/1{40}$/);
  expect(folders[2]).toMatch(/^repositories\/[0-9a-f]{16}\/first$/);
  expect(content.arguments).toHaveLength(3);
  expect(content.arguments.join()).not.toMatch(/"me"/);
  expect(content.secrets).toEqual([{ secret: "token", key: "value", file: "0.password" }]);
  expect(content.texts).toEqual([
    { text: "me", file: "0.username" },
    { text: "PEM", file: "authorities.pem" },
  ]);
});
