import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("service");
const here = { SLIPWAY_ENGINE: "container" };
afterAll(() => consumer.end());

it("runs the services of a file on this machine, with the image that the build made", async () => {
  const created = "create Container greeter-0\ncreate Container greeter-1\n";
  const deleted = "delete Container greeter-0\ndelete Container greeter-1\n";
  expect(await consumer.run("//:greeter_local", {}, "--wait")).toBe(created);
  try {
    const [status] = JSON.parse(
      await consumer.slipway("service", "status", "--engine", "container", "--json", "greeter"),
    );
    expect(status).toMatchObject({ state: "ready", replicas: { wanted: 2, ready: 2 } });
    for (const endpoint of status.endpoints) {
      expect(await (await fetch(`http://${endpoint}/you`)).text()).toBe("Hello, you!\n");
    }
    const { host } = await consumer.registry.status();
    expect(status.image).toMatch(new RegExp(`^${host}/[a-z_]+@sha256:[0-9a-f]{64}$`));
    expect(await consumer.run("//:greeter_plan", here)).toBe("");
    expect(await consumer.run("//:greeter_render")).toContain(`image: ${status.image}\n`);
  } finally {
    expect(await consumer.run("//:greeter_delete", here)).toBe(deleted);
  }
  expect(consumer.unneeded()).toEqual([]);
});
