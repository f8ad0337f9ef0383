import { findJobFolder, jobsFolder } from "../job-folder.ts";
import { superviseJob } from "../supervise.ts";

await superviseJob(findJobFolder(jobsFolder(process.env), process.argv[2] ?? ""));
