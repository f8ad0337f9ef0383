import { expect, it } from "vitest";
import { fieldsOfOthers } from "./others.ts";

const container = (fields: object) => ({
  "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"main"}': { ".": {}, ...fields } } } } },
});

it("tells what others have set outside the fields that Slipway sets, and who", () => {
  const managedFields = [
    { manager: "slipway", operation: "Apply", fieldsV1: container({ "f:image": {}, "f:name": {} }) },
    {
      manager: "kubectl-edit",
      fieldsV1: {
        ...container({ "f:image": {}, "f:tty": {}, "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': {} } }),
      },
    },
    { manager: "kubectl-edit", fieldsV1: { "f:metadata": { "f:labels": { ".": {}, "f:team": {} } } } },
    { manager: "kube-controller-manager", subresource: "status", fieldsV1: { "f:status": { "f:replicas": {} } } },
    {
      manager: "kube-controller-manager",
      fieldsV1: { "f:metadata": { "f:annotations": { "f:deployment.kubernetes.io/revision": {} } } },
    },
    { manager: "controller", fieldsV1: { "f:metadata": { "f:finalizers": { 'v:"a.io/b"': {} } } } },
  ];
  const place = "spec.template.spec.containers[main]";
  expect(fieldsOfOthers({ metadata: { managedFields } })).toEqual([
    { manager: "kubectl-edit", fields: ["metadata.labels.team", `${place}.ports[80/TCP]`, `${place}.tty`] },
    { manager: "controller", fields: ['metadata.finalizers["a.io/b"]'] },
  ]);
  expect(fieldsOfOthers({ metadata: {} })).toEqual([]);
});
