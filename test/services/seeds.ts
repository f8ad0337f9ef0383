import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { folderOfTest, repositoryOfTest } from "../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../src/git/testdata/git-server.ts";
import type { Machine, Outcome } from "../jobs/machine.ts";

/** The four examples that the text which services follow has. */
export const names = ["everything", "model", "private-registry", "repositories"] as const;

export type Name = (typeof names)[number];

/** Who applies them, on whichever engine. */
interface User {
  readonly machine: Machine;
  slipway(args: readonly string[], input?: string): Promise<Outcome>;
}

type GitHost = Awaited<ReturnType<typeof gitHost>>;

export interface GitHosts {
  /** Of the example with everything. */
  readonly handle: GitHost;
  /** Of the others: a public and a private repository. */
  readonly both: GitHost;
}

/** A git server with repositories by their paths. */
async function gitHost(
  files: Readonly<Record<string, string>>,
  server: { readonly address?: string; readonly username: string; readonly password: string; readonly wanted: string },
) {
  const root = folderOfTest();
  const repositories = Object.entries(files).map(([path, content]) => {
    mkdirSync(join(root, path), { recursive: true });
    const repository = repositoryOfTest(join(root, path));
    repository.commit({ "README.md": content });
    return repository;
  });
  return { ...(await gitServerOfTest(root, server)), repositories };
}

/** The git servers, trusted by the user; each has a password of its own. */
export async function gitHosts(
  { machine }: User,
  passwords: readonly [handle: string, both: string],
  address?: string,
): Promise<GitHosts> {
  const at = address === undefined ? {} : { address };
  const serving = { "tensorflow/serving.git": "serving\n" };
  const handle = await gitHost(serving, {
    ...at,
    username: "example",
    password: passwords[0],
    wanted: "/tensorflow/",
  });
  const both = await gitHost(
    { ...serving, "paperspace/ml-private.git": "private\n" },
    { ...at, username: "paperspace-user", password: passwords[1], wanted: "/paperspace/" },
  );
  const authorities = [handle, both].map(({ certificate }) => readFileSync(certificate, "utf8")).join("");
  machine.write({ "authorities.pem": authorities });
  machine.env["GIT_SSL_CAINFO"] = join(machine.home, "authorities.pem");
  return { handle, both };
}

/** What the examples name, by the names that they give it: credentials of a registry, models, secrets. */
export async function provide(
  user: User,
  registry: { readonly host: string; readonly username: string; readonly password: string },
  passwords: readonly [handle: string, both: string],
): Promise<void> {
  const { host, username, password } = registry;
  const succeed = async (args: readonly string[], input?: string) =>
    expect(await user.slipway(args, input)).toMatchObject({ status: 0 });
  for (const name of ["container-registry-name", "dockerhub-prod"]) {
    const where = ["--service", "docker", "--url", host, "--name", name, "--username", username];
    await succeed(["credentials", "add", ...where, "--password-stdin"], password);
  }
  for (const [id, text] of [
    ["model-handle", "a handle\n"],
    ["model-id", "an id\n"],
  ] as const) {
    user.machine.write({ [`${id}/saved_model.pb`]: text });
    await succeed(["model", "push", id, id]);
  }
  await succeed(["secret", "set", "secret_name"], `${passwords[0]}\n`);
  await succeed(["secret", "set", "paperspace-github-token"], passwords[1]);
}

/** Writes the examples to the folder `services`, changed in nothing but the images and the git servers. */
export function writeExamples(
  { machine }: User,
  images: { readonly open: string; readonly closed: string },
  { handle, both }: GitHosts,
): void {
  for (const name of names) {
    const text = readFileSync(`examples/services/${name}.yaml`, "utf8");
    const image = text.includes("containerRegistry: ") ? images.closed : images.open;
    const server = name === "everything" ? handle : both;
    const spec = text.replace(/^image: \S+/m, `image: ${image}`).replaceAll("https://github.com", server.url);
    const lines = text.split("\n");
    const changed = spec.split("\n").filter((line, index) => line !== lines[index]);
    for (const line of changed) expect(line).toMatch(/^image: |^ +- url: /);
    machine.write({ [`services/${name}.yaml`]: spec });
  }
}

/** Checks that each has what it names where the text says. @param read asks a service for a file that it sees */
export async function expectContents(read: (name: Name, path: string) => Promise<string>): Promise<void> {
  expect(await read("everything", "/opt/models/saved_model.pb")).toBe("a handle\n");
  expect(await read("everything", "/opt/repos/tf-serving/README.md")).toBe("serving\n");
  expect((await read("everything", "/proc/self/environ")).split("\0")).toContain("ENV=VAR");
  expect((await read("everything", "/proc/self/cmdline")).split("\0").filter(Boolean).at(-1)).toBe("command");
  for (const name of ["model", "private-registry"] as const) {
    expect(JSON.parse(await read(name, "/opt/models"))).toEqual(["saved_model.pb"]);
    expect(await read(name, "/opt/models/saved_model.pb")).toBe("an id\n");
    const variables = (await read(name, "/proc/self/environ")).split("\0");
    expect(variables).toEqual(expect.arrayContaining(["MODEL_BASE_PATH=/opt/models", "MODEL_NAME=my-tf-model"]));
  }
  expect(await read("repositories", "/opt/repositories/tf-serving/README.md")).toBe("serving\n");
  expect(await read("repositories", "/opt/repositories/paperspace-ml/README.md")).toBe("private\n");
}
