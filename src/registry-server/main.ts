import { closeSync, writeSync } from "node:fs";
import { Failure, reportOf, UserError } from "../core/errors.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { toWire } from "../core/wire-error.ts";
import { closeInherited } from "./descriptors.ts";
import { notStarted, registryPaths } from "./paths.ts";
import type { Handshake } from "./protocol.ts";
import { serve } from "./single-server.ts";

/** {@link ensureEmbeddedRegistry} waits on this pipe. */
const handshakeDescriptor = 3;

/** The parent waits for one line. */
function shakeHands(handshake: Handshake): void {
  try {
    writeSync(handshakeDescriptor, `${JSON.stringify(handshake)}\n`);
    closeSync(handshakeDescriptor);
  } catch {
    // The parent has exited, but others may need the server.
  }
}

function failureOf(error: unknown): UserError | Failure {
  if (error instanceof UserError || error instanceof Failure) return error;
  return notStarted(registryPaths(), error instanceof Error ? error.message : String(error));
}

reportUncaught();
closeInherited([0, 1, 2, handshakeDescriptor]);
try {
  const running = await serve(registryPaths(), { stopWhenIdle: true });
  if ("other" in running) {
    shakeHands({ ready: { host: running.other.host } });
  } else {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void running.stop().catch(() => {}));
    shakeHands({ ready: { host: running.host, ...(running.notice === undefined ? {} : { notice: running.notice }) } });
    await running.stopped;
    // Nobody gets the answer of an open request.
    process.exit();
  }
} catch (error) {
  process.stderr.write(`${reportOf(error)}\n`);
  const failed = failureOf(error);
  shakeHands({ failed: toWire(failed) });
  process.exitCode = failed.exitStatus;
}
