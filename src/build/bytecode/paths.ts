import { posix } from "node:path";

const cacheTag = "cpython-311";

/** PEP 3147. */
export function bytecodePath(module: string): string {
  const { dir, name } = posix.parse(module);
  return posix.join(dir, "__pycache__", `${name}.${cacheTag}.pyc`);
}

export function modulePath(bytecode: string): string {
  const { dir, base } = posix.parse(bytecode);
  return posix.join(posix.dirname(dir), base.replace(/\.[^.]*\.pyc$/, ".py"));
}
