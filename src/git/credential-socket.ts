import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { shellQuote } from "../core/shell-quote.ts";
import { temporaryFolder } from "../core/temporary-folder.ts";
import type { GitAccess } from "./access.ts";

/** How git's questions for a password ended. */
export interface CredentialTrail {
  /** A server asked for a password that is not stored. */
  readonly unanswered: boolean;
  /** The source of a password that a server refused. */
  readonly refused?: string;
  /** Why a source could not be read. */
  readonly error?: unknown;
}

export interface CredentialSocket {
  /** Value of `credential.helper`. */
  readonly helper: string;
  readonly trail: () => CredentialTrail;
  readonly close: () => Promise<void>;
}

const maximumQuestion = 64 * 1024;

/** Answers git's questions through its own `credential-cache`: a password is in no argument, variable or file. */
export async function openCredentialSocket(find: NonNullable<GitAccess["findPassword"]>): Promise<CredentialSocket> {
  const folder = temporaryFolder("slipway-git-");
  const path = join(folder.path, "ask");
  const sources = new Map<string, string>();
  let trail: CredentialTrail = { unanswered: false };

  const answer = async (question: string): Promise<string> => {
    const fields = new Map(question.split("\n").map((line) => split(line)));
    const [protocol, host, place] = [fields.get("protocol"), fields.get("host"), fields.get("path")];
    const url = `${protocol}://${host}${place === undefined ? "" : `/${place}`}`;
    const action = fields.get("action");
    if (action === "erase") {
      const source = sources.get(url);
      if (source !== undefined) trail = { ...trail, refused: source };
    }
    if (action !== "get" || protocol !== "https") return "";
    // Do not send a refused password again.
    if (trail.refused !== undefined) return "quit=1\n";
    try {
      const found = await find(url);
      if (!found) {
        trail = { ...trail, unanswered: true };
        return "quit=1\n";
      }
      sources.set(url, found.source);
      return `username=${found.username}\npassword=${found.password}\n`;
    } catch (error) {
      trail = { ...trail, error };
      return "quit=1\n";
    }
  };

  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    let question = "";
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => {
      question += chunk;
      if (question.length > maximumQuestion) socket.destroy();
    });
    socket.on("end", () => void answer(question).then((text) => socket.end(text)));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return {
    helper: `cache --socket=${shellQuote(path)}`,
    trail: () => trail,
    close: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      folder.remove();
    },
  };
}

function split(line: string): [string, string] {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
