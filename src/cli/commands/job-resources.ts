import process from "node:process";
import { Document } from "../../config/document.ts";
import { placedResources } from "../../config/instance-types.ts";
import { readDocument } from "../../config/read-document.ts";
import type { PlacedResources } from "../../config/resources.ts";
import type { Deployment } from "../../jobs/model.ts";
import type { JobFile } from "./job-file.ts";

/**
 * The resources of a job with the fields of its instance type, which this machine's configuration has and no lock.
 *
 * @throws UserError for a type that is not known, with its place in the job's file
 */
export function resourcesOf(file: JobFile, { resources }: Pick<Deployment, "resources">): Promise<PlacedResources> {
  return placedResources(resources, process.env, async (wrong) => {
    const document = Document.parse(await readDocument(file.path, file.name), file.name);
    const path = [...(file.isLock ? ["deployment"] : []), "resources", "instance_type"];
    return document.error([{ path, ...wrong }]);
  });
}
