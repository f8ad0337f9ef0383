import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestCluster } from "../../kubernetes/testdata/cluster.ts";
import { pushImage } from "../../kubernetes/testdata/image.ts";

/** The program of the SDK's tests, in an image made of this Node and the sources. */
export function pushProgram({ registry }: TestCluster): Promise<string> {
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (path) => /\.m?[jt]s$/.test(path) && !path.endsWith(".test.ts"),
  );
  const files = {
    "bin/node": process.execPath,
    "bin/echo": "/bin/echo",
    "app/package.json": "package.json",
    ...Object.fromEntries(sources.map((path) => [`app/src/${path}`, join("src", path)])),
  };
  const config = {
    User: "1000:1000",
    Entrypoint: ["/bin/node", "/app/src/sdk/testdata/program.ts"],
    Env: ["PATH=/bin"],
  };
  return pushImage(registry, "test/program", files, config);
}
