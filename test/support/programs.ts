import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian keeps daemons where the PATH of an ordinary user does not look. */
const ALSO = ["/usr/sbin", "/usr/local/sbin"];

/** The absolute path of a program, or undefined when this machine does not have it. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...ALSO];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
