import { resolve } from "node:path";

/** A bug, as a change of one place in one file. */
export interface PlantedBug {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The environment variable that plants a bug in a run of the tests: {@link PlantedBug} as JSON. */
export const PLANTED_BUG = "ISTHMUS_PLANTED_BUG";

const root = resolve(import.meta.dirname, "../..");

/** The code with the bug in it. @throws RangeError when there is not exactly one place for it. */
export function plant({ file, from, to }: PlantedBug, code: string): string {
  const places = code.split(from).length - 1;
  if (places !== 1) throw new RangeError(`${file} has ${places} places like this: ${from}`);
  return code.replace(from, () => to);
}

export function isPlantedIn({ file }: PlantedBug, path: string): boolean {
  return path === resolve(root, file);
}

/** A plugin of the test runner that plants the bug of the environment, if there is one. */
export function plantedBugPlugin(): {
  name: string;
  enforce: "pre";
  transform(code: string, id: string): string | undefined;
}[] {
  const text = process.env[PLANTED_BUG];
  if (text === undefined) return [];
  const bug = JSON.parse(text) as PlantedBug;
  return [
    {
      name: "planted-bug",
      enforce: "pre",
      transform: (code, id) => (isPlantedIn(bug, id) ? plant(bug, code) : undefined),
    },
  ];
}
