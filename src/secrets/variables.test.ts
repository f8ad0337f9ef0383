import { expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { LocalSecrets } from "./local.ts";
import { findSecrets, resolveVariables, type VariableStore } from "./variables.ts";

const storeOfTest = () => new LocalSecrets({ XDG_STATE_HOME: folderOfTest() });

/** A cluster with one Secret. */
const cluster: VariableStore = {
  place: "the cluster",
  setCommand: (name) => `set ${name}`,
  variable: async (name) =>
    name === "there" ? { reference: { name: "there", key: "value" }, version: "1" } : undefined,
};

it("gives variables the values of their secrets, and leaves others as they are", async () => {
  const store = storeOfTest();
  await store.set("token", Buffer.from("hunter2"));
  const env = { A: "SECRET:token", B: "SECRET:token", C: "a SECRET:token", D: "" };
  expect(await resolveVariables(env, [store])).toEqual({
    values: { A: "hunter2", B: "hunter2", C: "a SECRET:token", D: "" },
    references: {},
  });
  expect(await resolveVariables({ A: "x" }, [])).toEqual({ values: { A: "x" }, references: {} });
});

it("takes a secret from the cluster, and only what the cluster lacks from this machine", async () => {
  const store = storeOfTest();
  for (const name of ["there", "here"]) await store.set(name, Buffer.from("hunter2"));
  expect(await resolveVariables({ A: "SECRET:there", B: "SECRET:here" }, [cluster, store])).toEqual({
    values: { B: "hunter2" },
    references: { A: { name: "there", key: "value" } },
  });
});

it("has another version of a secret after each change", async () => {
  const store = storeOfTest();
  const versions = new Set<string | undefined>();
  for (const value of ["one", "two"]) {
    await store.set("token", Buffer.from(value));
    versions.add((await findSecrets({ A: "SECRET:token" }, [store]))["A"]?.version);
    const before = Date.now();
    await expect.poll(() => Date.now()).toBeGreaterThan(before);
  }
  expect(versions.size).toBe(2);
  expect([...versions].join()).not.toMatch("one");
});

it("names every missing secret, the places and the command that sets it", async () => {
  const store = storeOfTest();
  const env = { A: "SECRET:no", B: "SECRET:none", C: "SECRET:no" };
  const missing = userErrorWith("secret-not-found", "SECRET:no, SECRET:none");
  await expect(findSecrets(env, [cluster, store])).rejects.toThrow(missing);
  const error = await findSecrets(env, [cluster, store]).catch((error: UserError) => error);
  expect(String((error as UserError).message)).toContain(
    `Variable B names the secret none, which does not exist in the cluster, nor in ${store.place}.`,
  );
  expect((error as UserError).remedy).toBe("Set it: `set no`.");
  const own = new UserError({ code: "field-invalid", culprit: "a.yaml:1:2" }, "", "");
  await expect(findSecrets(env, [store], () => own)).rejects.toBe(own);
});

it("refuses bytes that no variable can have, without showing them", async () => {
  const store = storeOfTest();
  for (const value of [Buffer.from([0x68, 0xff]), Buffer.from("hunter2\0")]) {
    await store.set("key", value);
    const refused = userErrorWith("credential-invalid", "SECRET:key");
    await expect(resolveVariables({ A: "SECRET:key" }, [store])).rejects.toThrow(refused);
    await expect(resolveVariables({ A: "SECRET:key" }, [store])).rejects.not.toThrow("hunter2");
  }
});
