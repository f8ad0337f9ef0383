import type { Socket } from "node:net";
import type { Api, WebSocketLike } from "./api.ts";

interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const maximumKept = 1024 * 1024;

/** The message of a node if no program in the pod accepts the connection. */
const neverArrived = /connection refused|failed to (dial|find|connect)|not (found|running)|no such/i;

/**
 * Forwards a connection to a port of a pod, until one side ends it. `kept` is what another pod did not get.
 *
 * @returns what the next pod must get first, as this one did not accept; undefined when the connection is over
 */
export async function joinPod(
  api: Api,
  { namespace, pod, port }: PodPort,
  client: Socket,
  kept: readonly Buffer[] = [],
): Promise<readonly Buffer[] | undefined> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`;
  const over = Promise.withResolvers<readonly Buffer[] | undefined>();
  // Each channel begins with the number of the port.
  const begun = new Set<number>();
  let said: Buffer[] | undefined = [];
  let socket: WebSocketLike | undefined;
  socket = await api.webSocket(path, (channel, message) => {
    const data = begun.has(channel) ? message : message.subarray(2);
    begun.add(channel);
    if (data.length === 0) return;
    if (channel === 1) {
      if (said !== undefined && neverArrived.test(data.toString())) over.resolve(said);
      else client.destroy();
      return;
    }
    said = undefined;
    if (client.write(data)) return;
    socket?.pause();
    client.once("drain", () => socket?.resume());
  });
  const open = socket;
  const send = (data: Buffer) => {
    said?.push(data);
    if (said !== undefined && said.reduce((sum, { length }) => sum + length, 0) > maximumKept) said = undefined;
    client.pause();
    open.send(Buffer.concat([Buffer.of(0), data]), (error) => {
      if (error === undefined || error === null) client.resume();
    });
  };
  const end = () => over.resolve(undefined);
  for (const data of kept) send(data);
  client.on("data", send).once("end", end).once("close", end);
  open.onclose = () => {
    // Writes the pod's last words.
    client.end();
    end();
  };
  if (client.destroyed) end();
  client.resume();
  const rest = await over.promise;
  client.off("data", send).off("end", end).off("close", end);
  client.pause();
  open.onclose = null;
  open.close();
  if (rest === undefined) client.end();
  return rest;
}
