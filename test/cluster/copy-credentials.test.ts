import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { shellImage } from "./testdata/image.ts";
import { inPasswordRegistry } from "./testdata/registries.ts";
import { nameOf, ShellUser, textOf } from "./testdata/shell.ts";

it("pulls with a copy of the user's credential where that was asked for, and the copy goes with the job", {
  timeout: 120_000,
}, async () => {
  const user = await ShellUser.make();
  const login = { username: "robot", password: randomBytes(9).toString("base64url") };
  const image = await inPasswordRegistry(shellImage({ Labels: { of: login.password.slice(0, 3) } }), login);
  const [registry = ""] = image.split("/");
  user.namespace.logIn(registry, login);
  const program = user.program("echo ran", { image });

  // Having it is not enough.
  const without = user.engine();
  const { status } = await without.collect(await without.submit(program));
  expect(status).toMatchObject({
    state: "failed",
    reason: expect.stringMatching(/wants a credential.*--copy-credentials/),
  });
  expect(status.reason).not.toContain(login.password);
  await user.namespace.empty();

  const engine = user.engine({ ...user.namespace.env, SLIPWAY_COPY_CREDENTIALS: "1" });
  const id = await engine.submit(program);
  expect(await textOf(engine, id)).toBe("ran\n");
  expect((await engine.collect(id)).status).toMatchObject({ id, state: "succeeded", exitStatus: 0 });
  expect(user.notices.join("\n")).not.toContain(login.password);
  // One Secret has it, which is the Job's.
  const secret = await user.namespace.ask("get", "secret", `${nameOf(id)}-pull`);
  expect(secret.metadata["ownerReferences"]).toMatchObject([{ kind: "Job", name: nameOf(id) }]);
  const { auths } = JSON.parse(Buffer.from(secret["data"][".dockerconfigjson"], "base64").toString());
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  expect(auths).toEqual({ [registry]: { ...login, auth } });
  const others = (await user.namespace.objects()).filter(({ kind }) => kind !== "Secret");
  expect(JSON.stringify(others)).not.toContain(login.password);
  await engine.remove(id);
  await user.namespace.empty();
});
