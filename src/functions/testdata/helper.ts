import { join } from "node:path";
import { executable } from "../../core/testdata/executable.ts";

/** Some sources import what only bundles have: `x.mjs` for `x.mts`. */
const hook = `data:text/javascript,import{registerHooks}from"node:module";registerHooks({resolve(name,context,next){try{return next(name,context)}catch(error){if(!/^[.].*[.]mjs$/.test(name))throw error;return next(name.slice(0,-4)+".mts",context)}}})`;

/** The helper of launch scripts, of these sources. @returns its path */
export function helperOfTest(): string {
  const entry = join(process.cwd(), "src/functions/helper-main.ts");
  return executable("helper", `#!/bin/sh\nexec "${process.execPath}" --import '${hook}' "${entry}" "$@"\n`);
}
