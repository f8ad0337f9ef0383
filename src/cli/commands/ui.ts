import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { reportOf } from "../../core/errors.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { command } from "../command.ts";
import { pageScript } from "../page-script.ts";
import { optionError } from "../usage-error.ts";
import { number } from "./options.ts";
import { notice } from "./output.ts";

const port = { ...number("Port of 127.0.0.1. Default: a free one"), default: 0 } as const;

export const ui = command({ port }, async ({ port }) => {
  if (!(Number.isInteger(port) && port >= 0 && port < 65536))
    throw optionError("--port", `--port=${port} is no port.`, "Give a number from 1 to 65535.");
  const [{ createUi }, { answerSources, liveSources }, script] = await Promise.all([
    import("../ui/server.ts"),
    import("../ui/sources.ts"),
    pageScript(),
  ]);
  const token = randomBytes(32).toString("base64url");
  const live = liveSources(process.env);
  const host = () => `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const app = createUi({ token, host, script, live, ...answerSources(process.env) });
  // An error of a connection to a cluster, for example, belongs to no request and ends no page.
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.removeAllListeners(event).on(event, (error) => notice(reportOf(error)));
  }
  await app.listen({ host: "127.0.0.1", port });
  // The part after # stays in the browser.
  process.stdout.write(`http://${host()}/#token=${token}\n`);
  notice("Open this link in a browser; it is for you alone. Press Ctrl-C to end.");
  await untilInterrupted(
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    "",
  );
  app.server.closeAllConnections();
  await app.close();
});
