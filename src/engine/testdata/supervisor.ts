import { findJobFolder, jobsFolder } from "../job/job-folder.ts";
import { superviseJob } from "../job/supervise.ts";

await superviseJob(findJobFolder(jobsFolder(process.env), process.argv[2] ?? ""));
