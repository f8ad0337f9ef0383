/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useState } from "preact/hooks";
import type { Revision } from "../../../services/history.ts";
import type { ServiceStatus } from "../../../services/status.ts";
import { useAnswer, useLive } from "./api.ts";
import { Facts, Problem, State, shortImage, Table, timeText } from "./parts.ts";

function useServices() {
  const [services, setServices] = useState<readonly ServiceStatus[]>();
  const problem = useLive("services", "", { onMessage: (message) => setServices(message.services) });
  return { services, problem };
}

const replicas = ({ replicas: { ready, wanted, old } }: ServiceStatus) =>
  `${ready} of ${wanted} ready${old > 0 ? `, ${old} of before` : ""}`;

export function ServicesView(): ComponentChild {
  const { services, problem } = useServices();
  if (!services)
    return h(Fragment, {}, h(Problem, { text: problem }), problem ? null : h("p", { class: "dim" }, "Reading…"));
  if (services.length === 0) return h("p", { class: "dim" }, "There are no services.");
  return h(Fragment, {}, [
    h(Problem, { text: problem }),
    h(Table<ServiceStatus>, {
      label: "Services",
      rows: services,
      keyOf: ({ name }) => name,
      columns: [
        { title: "Service", cell: ({ name }) => h("a", { href: `#/services/${name}` }, name) },
        { title: "State", kind: "tight", cell: ({ state }) => h(State, { state }) },
        { title: "Replicas", kind: "tight", cell: replicas },
        { title: "Image", cell: ({ image = "" }) => h("span", { class: "code" }, shortImage(image)) },
        { title: "Reason", cell: ({ reason = "" }) => reason },
      ],
    }),
  ]);
}

export function ServiceView({ name }: { readonly name: string }): ComponentChild {
  const { services, problem } = useServices();
  const service = services?.find((each) => each.name === name);
  // A rollout makes a revision.
  const asked = service && { name, of: `${service.image} ${service.state}` };
  const { answer: revisions, problem: historyProblem } = useAnswer("history", asked);
  return h(Fragment, {}, [
    h(Problem, { text: problem || (services && !service ? `There is no service ${name}.` : "") }),
    service
      ? h(Facts, {
          facts: [
            ["State", h(State, { state: service.state })],
            ["Replicas", replicas(service)],
            ...(service.autoscaling
              ? [
                  [
                    "Autoscaling",
                    `${service.autoscaling.minReplicas} to ${service.autoscaling.maxReplicas} replicas`,
                  ] as const,
                ]
              : []),
            ...(service.image === undefined ? [] : [["Image", h("code", {}, service.image)] as const]),
            ...(service.reason === undefined ? [] : [["Reason", service.reason] as const]),
            ...(service.endpoints.length === 0 ? [] : [["Endpoints", service.endpoints.join(" ")] as const]),
            ...(service.urls ? [["URLs", service.urls.join(" ")] as const] : []),
          ],
        })
      : null,
    h("h2", {}, "Rollouts"),
    h(Problem, { text: historyProblem }),
    revisions
      ? h(Table<Revision>, {
          label: "Rollouts",
          rows: revisions.toReversed(),
          keyOf: ({ revision }) => String(revision),
          columns: [
            {
              title: "Revision",
              kind: "tight",
              cell: ({ revision, isCurrent }) => `${revision}${isCurrent ? " (current)" : ""}`,
            },
            { title: "Created", kind: "tight", cell: ({ created }) => timeText(Date.parse(created)) },
            { title: "Image", cell: ({ image = "" }) => h("span", { class: "code" }, shortImage(image)) },
            { title: "Cause", cell: ({ cause = "" }) => cause },
          ],
        })
      : null,
  ]);
}
