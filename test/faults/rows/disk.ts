import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BOTH, type Row, WITHIN_TWO_WINDOWS } from "../row.ts";
import type { WorldOptions } from "../world.ts";

const DISK_MB = 512;
const MB = 1024 * 1024;

let disk = "";

/** A small disk for the data of Kafka. @throws Error where this process may not mount one */
function mountDisk(): WorldOptions & { close(): void } {
  disk = mkdtempSync(join(tmpdir(), "isthmus-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", disk]);
  return {
    kafka: { dataFolder: join(disk, "kafka") },
    close() {
      execFileSync("umount", [disk]);
      rmSync(disk, { recursive: true });
    },
  };
}

/** Leaves no room on the disk; Kafka may take the last of it meanwhile. */
function fill(file: string): void {
  const { bavail, bsize } = statfsSync(disk);
  const part = Buffer.alloc(MB);
  try {
    for (let left = bavail * bsize; left > 0; left -= MB) {
      writeFileSync(file, part.subarray(0, Math.min(left, MB)), { flag: "a" });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

export const diskFull: Row = {
  name: "disk full under Kafka",
  does: "The disk of Kafka's data is full: it refuses what is sent, gives up its log directory and ends. After 2 to 4 s there is room again and Kafka starts.",
  directions: BOTH,
  world: mountDisk,
  ...WITHIN_TWO_WINDOWS,
  async play(run) {
    const filler = join(disk, "filler");
    for await (const _ of run.moments(1)) {
      fill(filler);
      run.allow(0.9);
      await run.pause(2000, 4000);
      rmSync(filler);
      await run.world.kafka.kill();
      await run.world.kafka.start();
      await run.recovered();
    }
  },
};
