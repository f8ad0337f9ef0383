import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeJobForms } from "./job.ts";
import { makePages, referenceFolder } from "./pages.ts";
import { serviceSpec, serviceSpecPage } from "./service-spec.ts";

/** Writes the reference into the workspace that `bazel run` was started in. */
const { BUILD_WORKSPACE_DIRECTORY: workspace, RUNFILES_DIR: runfiles = "" } = process.env;
if (!workspace) throw new Error("Start this by `tools/bazel run //docs:update`.");
const folder = join(workspace, referenceFolder);
const pages = await makePages(runfiles);
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name));
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
writeFileSync(join(workspace, serviceSpecPage), serviceSpec());
writeJobForms(workspace);
