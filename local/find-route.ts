import { BridgeError } from "../shared/errors.ts";
import { didYouMean } from "../shared/manifests/nearest.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { Route } from "../shared/model/route.ts";
import type { Arguments } from "./command.ts";

/** The route of that name. @throws BridgeError USAGE with the names that there are */
export function findRoute(plan: Plan, name: string): Route {
  const found = plan.routes.find((route) => route.name === name);
  if (found !== undefined) return found;
  const names = plan.routes.map((route) => route.name);
  const hint = didYouMean(name, names);
  const known = names.map((known) => `"${known}"`).join(", ");
  throw new BridgeError("USAGE", `No route is named "${name}": the routes are ${known}${hint}`);
}

/** What `--route` names. @throws BridgeError USAGE when nothing was named */
export function routeName(args: Arguments): string {
  const name = args.value("route");
  if (name !== undefined) return name;
  throw new BridgeError("USAGE", "No route given: name it with --route NAME");
}
