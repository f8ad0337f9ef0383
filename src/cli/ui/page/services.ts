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
  return h(Fragment, {}, [
    h(Problem, { text: problem }),
    h(Table<ServiceStatus>, {
      label: "Services",
      rows: services,
      none: "There are no services.",
      problem,
      keyOf: ({ name }) => name,
      columns: [
        ["Service", ({ name }) => h("a", { href: `#/services/${name}` }, name)],
        ["State", ({ state }) => h(State, { state }), "tight"],
        ["Replicas", replicas, "tight"],
        ["Image", ({ image = "" }) => h("span", { class: "code" }, shortImage(image))],
        ["Reason", ({ reason = "" }) => reason],
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
            [
              "Autoscaling",
              service.autoscaling &&
                `${service.autoscaling.minReplicas} to ${service.autoscaling.maxReplicas} replicas`,
            ],
            ["Image", service.image && h("code", {}, service.image)],
            ["Reason", service.reason],
            ["Endpoints", service.endpoints.join(" ")],
            ["URLs", service.urls?.join(" ")],
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
            ["Revision", ({ revision, isCurrent }) => `${revision}${isCurrent ? " (current)" : ""}`, "tight"],
            ["Created", ({ created }) => timeText(Date.parse(created)), "tight"],
            ["Image", ({ image = "" }) => h("span", { class: "code" }, shortImage(image))],
            ["Cause", ({ cause = "" }) => cause],
          ],
        })
      : null,
  ]);
}
