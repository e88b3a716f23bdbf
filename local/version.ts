import { readFile } from "node:fs/promises";

/** The version in package.json, found from the sources as well as from dist/. */
export async function version(): Promise<string> {
  for (const place of ["../package.json", "../../package.json"]) {
    const text = await readFile(new URL(place, import.meta.url), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null && "version" in found) {
      return String(found.version);
    }
  }
  return "unknown";
}
