import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Documents that describe no service, and what is said of each. */
export const malformed = readFileSync(join(import.meta.dirname, "malformed.txt"), "utf8")
  .split(/^===== /m)
  .slice(1)
  .map((section) => {
    const [, name = "", text = "", message = ""] = /^(.*?)\n(.*)^----- says\n(.*)\n$/ms.exec(section) ?? [];
    return { name, text, message };
  });
