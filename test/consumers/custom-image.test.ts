import { afterAll, expect, it } from "vitest";
import { ofApi } from "../e2e/registry.ts";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("custom_image");
afterAll(() => consumer.end());

it("runs a program's functions in the image that SLIPWAY_CONTAINER_IMAGE names, and pushes nothing", async () => {
  const custom = (await consumer.run("//:custom_push")).trim();
  expect(custom).toMatch(/^localhost:\d+\/another-team\/image@sha256:[0-9a-f]{64}$/);
  expect(await consumer.run("//:main")).toMatch(
    /^image: localhost:\d+\/custom_image_example@.*\nmade by: this build\n$/,
  );

  // What a user does before.
  expect(JSON.parse(await consumer.slipway("image", "check", custom, "--json"))).toMatchObject({ met: true });

  const env = { SLIPWAY_CONTAINER_IMAGE: custom };
  const requests = await consumer.registry.requestsDuring(async () => {
    expect(await consumer.run("//:main", env)).toBe(`image: ${custom}\nmade by: another team\n`);
  });
  expect(ofApi(requests.filter(({ transport }) => transport === "socket"))).toEqual([]);
  expect(await consumer.run("//:main_local", env)).toBe(`image: ${custom}\nmade by: another team\n`);
});
