import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest, git, repositoryOfTest } from "../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../src/git/testdata/git-server.ts";
import { Machine } from "./machine.ts";

const folder = join(import.meta.dirname, "../../examples/jobs");

it("the examples run as they are, but for public addresses, which are those of servers of this test", async () => {
  const root = folderOfTest();
  git(root, "init", "--quiet", "test_repo.git");
  const repository = repositoryOfTest(join(root, "test_repo.git"));
  const commit = repository.commit({ "README.md": "A test.\n" });
  const server = await gitServerOfTest(root);
  const machine = new Machine({ GIT_SSL_CAINFO: server.certificate });
  const pushed = await machine.run("test/jobs/python_push", []);
  const [, image = "", digest = ""] = /^(.*)@(sha256:.*)\n$/.exec(pushed.out) ?? [];
  const program = await machine.run("test/jobs/program_push", []);

  const addresses: [public_: string, here: string][] = [
    ["docker.io/library/python, tag: 3.12-slim", `${image}, tag: "3.11"`],
    ["gcr.io/my_org/my_image", image],
    ["sha256:76eaa9e5bd357d6983a88ddc9c4545ef4ad64c50f84f081ba952c7ed08e3bdd6", digest],
    ["https://github.com/meadowdata/test_repo", `${server.url}/test_repo.git/.git`],
    ["d44155a28cdcb171e6bad5090a787e9e15640663", commit],
  ];
  const outputs: Record<string, RegExp> = {
    "container-at-digest.yaml": /^hello\n$/,
    "container-at-tag.yaml": /^\{"total":6,"python":"3\.11\.\d+"\}\n$/,
    "git-repo-branch.yaml": /^\['README\.md'\]\n$/,
    "git-repo-commit.yaml": /^\['README\.md'\]\n$/,
    "image-target.yaml": /^6\n$/,
    "no-code.yaml": /^3\.\d+\.\d+\n$/,
    "pip-requirements.yaml": /^1\.16\.0\n$/,
    "poetry-project.yaml": /^123\.5 million\n$/,
    "own-interpreter.yaml": /^\{"total":6,"node":"v\d+\.\d+\.\d+"\}\n$/,
    "server-available-interpreter.yaml": /^\{"total":6,"python":"3\.\d+\.\d+"\}\n$/,
  };
  for (const name of readdirSync(join(folder, "code"))) {
    machine.write({ [`code/${name}`]: readFileSync(join(folder, "code", name), "utf8") });
  }
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  expect(names).toEqual(expect.arrayContaining(Object.keys(outputs)));
  for (const [name, expected] of Object.entries(outputs)) {
    const text = addresses.reduce(
      (before, [from, to]) => before.replaceAll(from, to),
      readFileSync(join(folder, name), "utf8"),
    );
    machine.write({ [name]: text });
    const { out, error, status } = await machine.slipway(["job", "run", name], {
      SLIPWAY_CONTAINER_IMAGE_URIS: `default##${program.out.trim()}`,
      SLIPWAY_ENVIRONMENT_BASE: pushed.out.trim(),
    });
    expect(`${name} ${status === 0 ? out : error}`).toMatch(new RegExp(`^${name} ${expected.source.slice(1)}`));
  }
}, 600_000);
