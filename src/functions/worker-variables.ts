/** Variables of a worker: see docs/worker-protocol.md. */
export const workerVariables = {
  version: "SLIPWAY_WORKER",
  channel: "SLIPWAY_WORKER_CHANNEL",
  token: "SLIPWAY_WORKER_TOKEN",
  files: "SLIPWAY_WORKER_FILES",
} as const;
