import type { PushEvent } from "./push.ts";

/** Milliseconds between two lines about the bytes of one blob. */
const every = 1000;

/**
 * Tells programs how a push goes, a line of JSON each. Sizes are bytes, `image` is `HOST/REPOSITORY`:
 *
 *     {"event":"checked","image","blobs"}                      how many blobs the image has, when it is not there
 *     {"event":"sending","image","digest","size"}
 *     {"event":"sent","image","digest","sent","size"}          at most once a second for a blob; less than before when some is sent again
 *     {"event":"blob","image","digest","size","outcome"}       present, mounted, streamed or uploaded
 *     {"event":"image","image","digest","tags","outcome"}      unchanged, tagged or pushed
 *
 * The caller adds the last line.
 */
export class JsonProgress {
  readonly #print: (text: string) => void;
  readonly #now: () => number;
  readonly #flights = new Map<string, { size: number; sent: number; saidAt: number }>();

  constructor(print: (text: string) => void, now: () => number = () => performance.now()) {
    this.#print = print;
    this.#now = now;
  }

  readonly onEvent = (event: PushEvent): void => {
    const { type, image: named, ...fields } = event;
    const image = `${named.client.registry}/${named.repository}`;
    const { digest, tags } = named;
    if (event.type === "sending") {
      this.#flights.set(`${image} ${event.digest}`, { size: event.size, sent: 0, saidAt: this.#now() });
    } else if (event.type === "blob") this.#flights.delete(`${image} ${event.digest}`);
    if (event.type === "sent") this.#advance(image, event.digest, event.bytes);
    else this.say({ event: type, image, ...(type === "image" ? { digest, tags } : {}), ...fields });
  };

  finish(): void {}

  say(line: object): void {
    this.#print(`${JSON.stringify(line)}\n`);
  }

  #advance(image: string, digest: string, bytes: number): void {
    const flight = this.#flights.get(`${image} ${digest}`);
    if (!flight) return;
    flight.sent += bytes;
    const now = this.#now();
    if (now - flight.saidAt < every) return;
    flight.saidAt = now;
    this.say({ event: "sent", image, digest, sent: flight.sent, size: flight.size });
  }
}
