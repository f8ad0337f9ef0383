import { join } from "node:path";
import { writeJobForms } from "./job.ts";

// As `tools/bazel run //docs:update` does, which builds Slipway first.
writeJobForms(join(import.meta.dirname, "../.."));
