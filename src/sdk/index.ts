/** The public API: programs import it as `slipway`. */

export type { Network, Resources } from "../config/limits.ts";
export type { Volume, Volumes } from "../config/volumes.ts";
export { Failure, UserError } from "../core/errors.ts";
export { userPath } from "../core/user-path.ts";
export { dataFile } from "./data-file.ts";
export { type Deployment, type JobCode, type JobInterpreter, SLIPWAY_INTERPRETER } from "./deployment.ts";
export { type Engine, engine } from "./engine.ts";
export { type FileValue, file, folder, scratchFolder } from "./files.ts";
export { containerImage, hasContainerImage } from "./images.ts";
export { type BatchOptions, type InImageOptions, inImage, type StateOptions, type StepFunction } from "./in-image.ts";
export { JobError, type JobRunOptions, resolveJob, runJob } from "./job.ts";
export type { Json } from "./json.ts";
export { main } from "./main.ts";
export { type ItemFailure, MapError } from "./map-error.ts";
export { type MapInImageOptions, mapInImage } from "./map-in-image.ts";
export { NumberArray } from "./number-array.ts";
export { RemoteError } from "./remote-error.ts";
export { insideImage, type RunInImageOptions, runInImage } from "./run-in-image.ts";
export type { Input } from "./steps.ts";
export type { StreamOptions } from "./stream.ts";
