import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("a port whose connections a killed container's rule leads elsewhere is not chosen", async () => {
  // In a network of its own: rules are the whole machine's.
  const ports = fileURLToPath(import.meta.resolve("./ports.ts"));
  const choose = `
    import { execFileSync } from "node:child_process";
    import { chooseHostPorts } from ${JSON.stringify(ports)};
    const choose = async () => [...(await chooseHostPorts([8080, 8501], 0, new Map())).values()];
    const free = await choose();
    const rule = "-t nat -A OUTPUT -p tcp -d 127.0.0.1 --dport 8080 -j DNAT --to-destination 127.0.0.2:9";
    execFileSync("iptables", rule.split(" "));
    console.log(JSON.stringify([free, await choose()]));`;
  const script = 'ip link set lo up && exec "$0" --input-type=module-typescript --eval "$1"';
  const { stdout } = await promisify(execFile)("unshare", ["--net", "sh", "-c", script, process.execPath, choose]);
  const [free, held] = JSON.parse(stdout) as readonly (readonly number[])[];
  expect(free).toEqual([8080, 8501]);
  expect(held).toEqual([expect.not.closeTo(8080, 0), 8501]);
});
