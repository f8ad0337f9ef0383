import type { FastifyInstance } from "fastify";
import { isRepository } from "../../oci/reference.ts";
import { RegistryError } from "../errors.ts";
import { controlPath, protocolVersion, type Status, type TokenRequest } from "../protocol.ts";
import { collectGarbage } from "../store/collect.ts";
import { listImages } from "../store/images.ts";
import type { Store } from "../store.ts";
import type { Tokens } from "../tokens.ts";

export interface Control {
  /** `localhost:PORT`, known once the server listens. */
  readonly host: () => string;
  readonly stop: () => void;
  readonly now: () => number;
  /** Milliseconds since the epoch: connected clients may build on what was stored since. */
  readonly clientsSince: () => number;
  /** Aborted when the registry stops. */
  readonly signal: AbortSignal;
}

/** Bytes. */
const bodyLimit = 64 * 1024;

const tokenRequest = {
  type: "object",
  required: ["repository", "actions"],
  additionalProperties: false,
  properties: {
    repository: { type: "string" },
    actions: { type: "array", minItems: 1, items: { enum: ["pull", "push"] } },
    ttlSeconds: { type: "integer", minimum: 1 },
  },
} as const;

/** For our own tools. The caller has checked that the request came over the socket. */
export function addControlRoutes(app: FastifyInstance, store: Store, tokens: Tokens, control: Control): void {
  app.register(
    async (routes) => {
      routes.removeAllContentTypeParsers();
      routes.addContentTypeParser(
        "application/json",
        { parseAs: "string", bodyLimit },
        routes.getDefaultJsonParser("error", "error"),
      );

      routes.get(
        "status",
        async (): Promise<Status> => ({ protocol: protocolVersion, host: control.host(), pid: process.pid }),
      );
      routes.post("stop", async (_request, reply) => {
        reply.raw.once("finish", control.stop);
        return reply.code(202).send({});
      });
      routes.post<{ Body: TokenRequest }>("token", { schema: { body: tokenRequest } }, async ({ body }) => {
        if (!isRepository(body.repository)) {
          const problem = `${JSON.stringify(body.repository)} cannot be the name of a repository.`;
          throw new RegistryError(400, "NAME_INVALID", problem);
        }
        return tokens.issue(body.repository, body.actions, body.ttlSeconds);
      });
      routes.get("images", async () => listImages(store.layout, store.manifests, control.signal));
      routes.post<{ Querystring: { now?: string } }>("gc", async ({ query }) => {
        const unusedSince = query.now === undefined ? undefined : control.clientsSince();
        const { now, signal } = control;
        return collectGarbage(store.layout, store.manifests, { now, signal, unusedSince });
      });
    },
    { prefix: controlPath },
  );
}
