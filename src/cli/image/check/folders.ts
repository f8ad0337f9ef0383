import type { CheckedImage, Mistake } from "./image.ts";
import { describeOwner, mayWrite } from "./user.ts";

/** Checks for the image's user. Another requirement checks that the user exists. */
export async function checkWritable(image: CheckedImage, path: string): Promise<Mistake | undefined> {
  const user = await image.user();
  if (typeof user === "string") return undefined;
  const found = image.tree.find(path);
  const make = `RUN mkdir -p ${path} && chown ${user.uid} ${path}`;
  if (!("node" in found)) {
    return {
      where: path,
      problem: `the image ${found.missing}`,
      remedy: `Make it when the image is built, as in: ${make}`,
    };
  }
  if (found.node.type !== "directory") {
    return { where: path, problem: `it is a ${found.node.type}, not a folder`, remedy: `Make a folder of it: ${make}` };
  }
  if (mayWrite(user, found)) return undefined;
  return {
    where: path,
    problem: `user ${user.uid} of the image may not write to it: ${describeOwner(found.node)}`,
    remedy: `Give it to that user when the image is built, as in: ${make}`,
  };
}

/** HOME comes first, then the image's /etc/passwd. */
export async function checkHome(image: CheckedImage): Promise<Mistake | undefined> {
  const user = await image.user();
  if (typeof user === "string") {
    return {
      where: "config.User",
      problem: `the image does not know ${user}, so it has no home`,
      remedy: "Add it to /etc/passwd and /etc/group when the image is built, for example by useradd.",
    };
  }
  const home = image.variable("HOME") ?? user.home;
  if (home === undefined) {
    return {
      where: "config.User",
      problem: `/etc/passwd has no user ${user.uid} and HOME is not set, so the home folder is /`,
      remedy:
        "Add the user with a home when the image is built (useradd), or set HOME to a folder that it may write to.",
    };
  }
  return checkWritable(image, home);
}
