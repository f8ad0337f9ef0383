import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { secretObjectName } from "./cluster.ts";
import { LocalSecrets } from "./local.ts";
import { checkSecretName, maximumValue, secretValue } from "./secrets.ts";

function storeOfTest() {
  const home = folderOfTest();
  return { folder: join(home, "slipway/secrets"), store: new LocalSecrets({ XDG_STATE_HOME: home }) };
}

it("keeps each secret in a file that nobody else can read", async () => {
  const { folder, store } = storeOfTest();
  expect(await store.list()).toEqual([]);
  expect(await store.file("token")).toBe(undefined);
  await store.set("token", Buffer.from("one"));
  await store.set("other_Token.2", Buffer.from([0, 255]));
  await store.set("token", Buffer.from("two"));
  expect(readdirSync(folder).sort()).toEqual(["other_Token.2", "token"]);
  const path = join(folder, "token");
  expect(await store.file("token")).toBe(path);
  expect(readFileSync(path, "utf8")).toBe("two");
  expect([folder, path].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o600]);
  const set = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(await store.list()).toEqual([
    { name: "other_Token.2", place: join(folder, "other_Token.2"), set },
    { name: "token", place: path, set },
  ]);
});

it("removes all or none", async () => {
  const { store } = storeOfTest();
  await store.set("a", Buffer.from("1"));
  await store.set("b", Buffer.from("2"));
  await expect(store.remove(["a", "c"])).rejects.toThrow(userErrorWith("secret-not-found", "c"));
  expect((await store.list()).map(({ name }) => name)).toEqual(["a", "b"]);
  await store.remove(["a", "b"]);
  expect(await store.list()).toEqual([]);
});

it.runIf(process.getuid?.() !== 0)("keeps the value that was there when a new one cannot be written", async () => {
  const { folder, store } = storeOfTest();
  await store.set("a", Buffer.from("1"));
  chmodSync(folder, 0o500);
  await expect(store.set("a", Buffer.from("2"))).rejects.toThrow();
  chmodSync(folder, 0o700);
  expect(readdirSync(folder)).toEqual(["a"]);
  expect(readFileSync(join(folder, "a"), "utf8")).toBe("1");
});

it("takes one line end off, and nothing else", () => {
  const value = (text: string) => secretValue(Buffer.from(text), "A test").toString();
  expect(["a", "a\n", "a\r\n", "a\n\n", " a \n", "a\r", "a\nb\n"].map(value)).toEqual([
    "a",
    "a",
    "a",
    "a\n",
    " a ",
    "a\r",
    "a\nb",
  ]);
  for (const empty of ["", "\n", "\r\n"]) expect(() => value(empty)).toThrow(userErrorWith("file-invalid", "A test"));
  expect(value("x".repeat(maximumValue))).toHaveLength(maximumValue);
  expect(() => value("x".repeat(maximumValue + 1))).toThrow(userErrorWith("file-invalid", "A test"));
});

it("takes names that a service can have, and shows no other", () => {
  for (const name of ["a", "git-token", "secret_name", "A.b-C_9", "x".repeat(63)]) checkSecretName(name);
  for (const name of ["", "-a", "a-", "_a", "../a", "a/b", "a b", "hunter2!", "x".repeat(64)]) {
    expect(() => checkSecretName(name)).toThrow(userErrorWith("command-line-invalid", "NAME"));
  }
  expect(() => checkSecretName("hunter2!")).not.toThrow("hunter2");
});

it("has a name for Kubernetes for each, by itself where that is one", () => {
  expect(["git-token", "a.b", "0"].map(secretObjectName)).toEqual(["git-token", "a.b", "0"]);
  expect(secretObjectName("secret_name")).toMatch(/^secret-name-[0-9a-f]{8}$/);
  const names = ["Token", "tOken", "a_b", "a._b", "a.-b", `${"A".repeat(63)}`];
  for (const name of names) expect(secretObjectName(name)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  expect(new Set(names.map(secretObjectName)).size).toBe(names.length);
});
