import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pushImage } from "../../kubernetes/testdata/image.ts";
import { filesProgram } from "./files.ts";

/** The program of {@link filesProgram} in an image `test/files` of a registry. */
export function pushFilesProgram(registry: Parameters<typeof pushImage>[0]): Promise<string> {
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (path) => /\.m?[jt]s$/.test(path) && !path.endsWith(".test.ts"),
  );
  const files = {
    "bin/node": process.execPath,
    "app/package.json": "package.json",
    ...Object.fromEntries(sources.map((path) => [`app/src/${path}`, join("src", path)])),
  };
  const config = { User: "1000:1000", Entrypoint: ["/bin/node", `/app/${filesProgram}`], Env: ["PATH=/bin"] };
  return pushImage(registry, "test/files", files, config);
}
