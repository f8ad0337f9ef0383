import { formatPath } from "../config/document.ts";
import type { Mistake } from "../config/mistake.ts";
import type { ServiceFields } from "./schema.ts";

export function checkFields(fields: ServiceFields): Mistake[] {
  const { resources } = fields;
  const issues: Mistake[] = [];
  const add = (path: readonly PropertyKey[], problem: string, remedy: string) => issues.push({ path, problem, remedy });

  if (fields.port !== undefined && resources.ports) {
    add(["port"], "stands beside resources.ports", "Keep one of them.");
  }
  if (fields.port === undefined && !resources.ports) add(["port"], "is missing", "Add it: where the service answers.");
  if (resources.instanceType !== undefined && resources.machineType !== undefined) {
    add(["resources", "machineType"], "stands beside instanceType, which means the same", "Keep one of them.");
  }
  addRepeated(resources.ports ?? [], (port) => port, ["resources", "ports"], [], add);
  addRepeated(fields.env, ({ name }) => name, ["env"], ["name"], add);
  addTooLong(fields, add);
  addAutoscaling(resources, add);
  addFolders(fields, add);
  addRepositories(fields.repositories, add);
  return issues;
}

type Add = (path: readonly PropertyKey[], problem: string, remedy: string) => void;

function addRepeated<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => unknown,
  path: readonly PropertyKey[],
  field: [] | [string],
  add: Add,
): void {
  const seen = new Map<unknown, number>();
  for (const [index, item] of items.entries()) {
    const first = seen.get(keyOf(item));
    if (first === undefined) seen.set(keyOf(item), index);
    else add([...path, index, ...field], `is the same as in [${first}]`, "Keep one of them.");
  }
}

/** The longest argument and the longest `NAME=value` of a program on Linux, without the NUL. */
const longestArgument = 128 * 1024 - 1;

function addTooLong({ command = [], env }: ServiceFields, add: Add): void {
  const check = (text: string, path: readonly PropertyKey[]) => {
    if (Buffer.byteLength(text) <= longestArgument) return;
    add(
      path,
      `is longer than the ${longestArgument} bytes that Linux gives a program`,
      "Put it into the image, or a model.",
    );
  };
  for (const [index, argument] of command.entries()) check(argument, ["command", index]);
  for (const [index, { name, value }] of env.entries()) check(`${name}=${value}`, ["env", index, "value"]);
}

function addAutoscaling(resources: ServiceFields["resources"], add: Add): void {
  const { autoscaling } = resources;
  if (!autoscaling) return;
  const path = ["resources", "autoscaling"];
  addRepeated(autoscaling.metrics, ({ metric }) => metric, [...path, "metrics"], ["metric"], add);
  if (!autoscaling.enabled) return;
  if (autoscaling.maxReplicas < resources.replicas) {
    add([...path, "maxReplicas"], `is less than replicas, which is ${resources.replicas}`, "Make it larger.");
  }
  if (resources.instanceType === undefined && resources.machineType === undefined) {
    add(path, "has no instance type to take per cents of", "Add resources.instanceType.");
  }
}

/** Refuses folders that would cover each other. */
function addFolders({ models, repositories }: ServiceFields, add: Add): void {
  const folders = [
    ...models.map(({ path: folder }, index) => ({ path: ["models", index, "path"], folder })),
    ...(repositories ? [{ path: ["repositories", "mountPath"], folder: repositories.mountPath }] : []),
  ];
  for (const [index, one] of folders.entries()) {
    const other = folders
      .slice(0, index)
      .find(({ folder }) => isWithin(folder, one.folder) || isWithin(one.folder, folder));
    if (other) add(one.path, `and ${formatPath(other.path)} lie in one another`, "Give each a folder of its own.");
  }
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

function addRepositories(repositories: ServiceFields["repositories"], add: Add): void {
  if (!repositories) return;
  const path = ["repositories", "repositories"];
  addRepeated(repositories.repositories, ({ name }) => name, path, ["name"], add);
  for (const [index, { username, password }] of repositories.repositories.entries()) {
    if (password !== undefined && username === undefined) {
      add(
        [...path, index, "password"],
        "has no username beside it",
        "Add `username`: servers that look at tokens alone take any.",
      );
    }
  }
}
