import { inputVariable, maximumResultFile, nonceVariable, resultFileVariable } from "../core/protocol.ts";

export const maximumResult = 16 * 1024 * 1024;

/** Calls `module:name` and writes its result (`protocol.ts`). Python 3.6 and newer. */
const python = `
import asyncio, importlib, inspect, json, os, re, sys, traceback
name, limit, folders = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
nonce = os.environ.pop("${nonceVariable}")
given = os.environ.pop("${inputVariable}", None)
file = os.environ.pop("${resultFileVariable}", None)
arguments = json.loads(open(given, "rb").read() if given else sys.stdin.buffer.read())
sys.argv[:] = [name]
sys.path[:] = folders + [path for path in sys.path if path and path not in folders]
status = 0
try:
    module, _, attribute = name.partition(":")
    target = importlib.import_module(module)
    for part in attribute.split("."):
        target = getattr(target, part)
    result = target(*arguments)
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    text = json.dumps({"result": result}, allow_nan=False)
    if len(text) > limit:
        raise ValueError("the result takes %d bytes as JSON, and at most %d go through" % (len(text), limit))
except BaseException as error:
    status = 1
    # The user's file comes first: neither this runner nor what imports and runs for it is of interest.
    trace = error.__traceback__
    while trace and re.search(r"^<string>$|^<frozen importlib|/(asyncio|importlib)/\\w+\\.py$", trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    details = "".join(traceback.format_exception(type(error), error, trace))[-65536:]
    text = json.dumps({"error": {"name": type(error).__name__, "message": str(error)[:65536], "details": details}})
sys.stdout.flush()
sys.stderr.flush()
mark = "\\x1eslipway " + nonce + " "
line = mark + text + "\\n"
is_short = len(line) <= ${maximumResultFile}
if file:
    with open(file, "w") as out:
        out.write(line if is_short else mark + json.dumps({"logged": len(line)}) + "\\n")
if not file or not is_short:
    with os.fdopen(os.dup(1), "w") as out:
        out.write(line)
# Threads that a function left behind do not keep the job.
os._exit(status)
`;

/** The same for the default export of a module. */
const node = `
import { resolve } from "node:path";
import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
const [name, limit, folder] = process.argv.slice(1);
const nonce = process.env["${nonceVariable}"];
const input = process.env["${inputVariable}"];
const file = process.env["${resultFileVariable}"];
for (const name of ["${nonceVariable}", "${inputVariable}", "${resultFileVariable}"]) delete process.env[name];
let text;
let status = 0;
try {
  const given = JSON.parse(readFileSync(input ?? 0, "utf8"));
  const { default: target } = await import(pathToFileURL(resolve(folder, name)).href);
  if (typeof target !== "function") throw new TypeError(name + " has no default export that is a function");
  text = JSON.stringify({ result: await target(...given) });
  const size = Buffer.byteLength(text);
  if (size > Number(limit)) throw new RangeError("the result takes " + size + " bytes as JSON, and at most " + limit + " go through");
} catch (error) {
  status = 1;
  const frames = /\\n +at [^\\n]*(\\[eval\\d*\\]|node:internal)[^\\n]*/g;
  const details = inspect(error, { colors: false }).replaceAll(frames, "").slice(0, 65536);
  text = JSON.stringify({ error: { name: error?.name ?? "Error", message: String(error?.message ?? error).slice(0, 65536), details } });
}
const mark = "\\x1eslipway " + nonce + " ";
const answer = Buffer.from(mark + text + "\\n");
const isShort = answer.length <= ${maximumResultFile};
if (file !== undefined) writeFileSync(file, isShort ? answer : mark + JSON.stringify({ logged: answer.length }) + "\\n");
for (let at = file !== undefined && isShort ? answer.length : 0; at < answer.length; ) {
  try {
    at += writeSync(1, answer, at);
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
}
process.exit(status);
`;

export function functionRunner(
  language: "python" | "node",
  name: string,
  folders: readonly string[],
): readonly string[] {
  const rest = [name, String(maximumResult), ...folders];
  return language === "python" ? ["-c", python, ...rest] : ["--input-type=module", "--eval", node, "--", ...rest];
}
