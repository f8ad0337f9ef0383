import type { Found, Node } from "./tree.ts";

export interface ImageUser {
  readonly uid: number;
  readonly gids: ReadonlySet<number>;
  /** Undefined: the image's /etc/passwd does not list this user. */
  readonly home: string | undefined;
}

/** As engines do (`user`, `uid`, `user:group`, …). A text names the user or group that is unknown. */
export function findUser(text: string, passwd: string, group: string): ImageUser | string {
  const [name = "", groupName] = (text === "" ? "0" : text).split(":");
  const users = rows(passwd);
  const groups = rows(group);
  const isNumber = /^\d+$/.test(name);
  const user = users.find((fields) => (isNumber ? fields[2] === name : fields[0] === name));
  if (!user && !isNumber) return `user ${JSON.stringify(name)}`;
  const uid = Number(user?.[2] ?? name);
  const gids = new Set([Number(user?.[3] ?? 0)]);
  if (groupName !== undefined) {
    const named = groups.find((fields) => fields[0] === groupName)?.[2];
    if (named === undefined && !/^\d+$/.test(groupName)) return `group ${JSON.stringify(groupName)}`;
    gids.clear();
    gids.add(Number(named ?? groupName));
  } else if (user) {
    for (const fields of groups) if (fields[3]?.split(",").includes(user[0] ?? "")) gids.add(Number(fields[2]));
  }
  return { uid, gids, home: user?.[5] || undefined };
}

function rows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

const [WRITE, SEARCH] = [2, 1];

export function mayWrite(user: ImageUser, found: Found): boolean {
  return found.node.type === "directory" && reaches(user, found.above) && has(user, found.node, WRITE | SEARCH);
}

/** Even root needs one of the execute bits. */
export function mayExecute(user: ImageUser, { node, above }: Found): boolean {
  if (user.uid === 0) return (node.mode & 0o111) !== 0;
  return reaches(user, above) && has(user, node, SEARCH);
}

function reaches(user: ImageUser, above: readonly Node[]): boolean {
  return above.every((folder) => has(user, folder, SEARCH));
}

function has({ uid, gids }: ImageUser, node: Node, bits: number): boolean {
  if (uid === 0) return true;
  const shift = node.uid === uid ? 6 : gids.has(node.gid) ? 3 : 0;
  return ((node.mode >> shift) & bits) === bits;
}

export function describeOwner({ mode, uid, gid }: Node): string {
  return `its mode is 0${mode.toString(8).padStart(3, "0")}, its owner ${uid}:${gid}`;
}
