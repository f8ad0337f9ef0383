/** Set by the launcher: the helper, which makes calls on engines that a user's program cannot use itself. */
export const helperVariable = "SLIPWAY_ENGINE_HELPER";

/** Set by the launcher if it has started the helper: its socket. */
export const helperSocketVariable = "SLIPWAY_ENGINE_SOCKET";

/** Set by the launcher: label of the pipeline. */
export const targetVariable = "SLIPWAY_TARGET";
