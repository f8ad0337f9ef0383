interface Port {
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly containerPort?: number | undefined;
  readonly protocol?: string | undefined;
}

interface WithPorts {
  readonly spec?: {
    readonly ports?: Port[];
    readonly template?: { readonly spec: { readonly containers: readonly { name: string; ports?: Port[] }[] } };
  };
}

/** An operation of RFC 6902. */
type PatchOperation = { readonly op: "test" | "remove"; readonly path: string; readonly value?: unknown };

/** The lists of ports in an object by their owners (empty for a Service), with pointers (RFC 6901). */
function portLists(object: object): { owner: string; pointer: string; ports: Port[] }[] {
  const { ports, template } = (object as WithPorts).spec ?? {};
  if (ports) return [{ owner: "", pointer: "/spec/ports", ports }];
  return (template?.spec.containers ?? []).map(({ name, ports = [] }, index) => ({
    owner: name,
    pointer: `/spec/template/spec/containers/${index}/ports`,
    ports,
  }));
}

/** Server-side apply identifies a port by number and protocol: a port with a changed number is another port. */
function keyOf({ port, containerPort, protocol = "TCP" }: Port): string {
  return `${port ?? containerPort}/${protocol}`;
}

/** The ports of an object that its manifest lacks. Skips containers that the manifest lacks. */
function strangers(manifest: object, object: object) {
  const wanted = portLists(manifest);
  return portLists(object).flatMap((list) => {
    const own = wanted.find(({ owner }) => owner === list.owner);
    const keys = new Set(own?.ports.map(keyOf));
    return own ? [{ ...list, own, strange: list.ports.filter((port) => !keys.has(keyOf(port))) }] : [];
  });
}

/**
 * For a port that somebody changed by hand: server-side apply would add a second one of the same name. Here the changed
 * one is renamed, until {@link removalOf} removes it.
 */
export function withStrangers<Sent extends object>(manifest: Sent, live: object): Sent {
  const sent = structuredClone(manifest);
  for (const { own, strange } of strangers(sent, live)) {
    const names = new Set(own.ports.map(({ name }) => name));
    const taken = strange.filter(({ name }) => names.has(name));
    own.ports.push(
      ...taken.map(({ port, containerPort, protocol }, index) => ({
        name: `slipway-${index}`,
        port,
        containerPort,
        protocol,
      })),
    );
  }
  return sent;
}

/** Removes only the ports that a manifest lacks. Empty: there are none. */
export function removalOf(manifest: object, object: object): readonly PatchOperation[] {
  return strangers(manifest, object).flatMap(({ pointer, ports, strange }) =>
    strange
      .map((port) => ({ path: `${pointer}/${ports.indexOf(port)}`, value: port }))
      // The last first, so that indexes stay valid.
      .reverse()
      .flatMap(({ path, value }): PatchOperation[] => [
        { op: "test", path, value },
        { op: "remove", path },
      ]),
  );
}

export function withoutStrangers<Live extends object>(manifest: object, object: Live): Live {
  const result = structuredClone(object);
  for (const { ports, strange } of strangers(manifest, result)) {
    for (const port of strange) ports.splice(ports.indexOf(port), 1);
  }
  return result;
}
