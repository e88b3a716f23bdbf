import type { HeaderAction } from "../model/transform.ts";

/** Pairs after these actions, in their order; the same list when there are none. */
export function withHeaderActions<T>(
  pairs: readonly (readonly [string, T])[],
  actions: readonly HeaderAction[] | undefined,
  toValue: (text: string) => T,
): readonly (readonly [string, T])[] {
  if (actions === undefined) return pairs;
  let list = [...pairs];
  for (const action of actions) {
    const { name } = action;
    const at = list.findIndex(([known]) => known === name);
    if (action.action === "Remove") {
      if (at >= 0) list = list.filter(([known]) => known !== name);
    } else if (at < 0) list.push([name, toValue(action.value)]);
    else if (action.action === "AddOrReplace") {
      list = list.filter(([known], i) => i === at || known !== name);
      list[at] = [name, toValue(action.value)];
    }
  }
  return list;
}
