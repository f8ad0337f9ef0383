import type { Issue } from "../deployment/document.ts";
import type { ServiceDocument } from "./read.ts";

/** @throws UserError for a service with parts that nothing brings into its containers yet: without them it is not that service */
export function refuseUnsupported({ service, error }: ServiceDocument): void {
  const issues: Issue[] = [];
  const remedy =
    "This version of Slipway checks these fields and brings nothing into containers: leave them out to see the rest.";
  if (service.models.length > 0) issues.push({ path: ["models"], problem: "cannot be brought into pods yet", remedy });
  if (issues.length > 0) throw error(issues);
}
