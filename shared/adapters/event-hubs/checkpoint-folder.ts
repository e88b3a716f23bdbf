import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint, CheckpointStore, PartitionOwnership } from "@azure/event-hubs";
import { BridgeError } from "../../errors.ts";

/** What a place belongs to: one consumer group of one event hub. */
type Place = Pick<Checkpoint, "fullyQualifiedNamespace" | "eventHubName" | "consumerGroup">;

/**
 * Checkpoints, and who reads which partition, as one small file each, for processes and threads of one machine. A file is replaced as a
 * whole. Two that claim a partition at the same moment may both believe to have it: then the service ends the older receiver.
 */
export function checkpointFolder(folder: string): CheckpointStore {
  return {
    listCheckpoints: (...place) => entries<Checkpoint>(pathOf(folder, "checkpoint", place)),
    listOwnership: (...place) => entries<PartitionOwnership>(pathOf(folder, "ownership", place)),
    async updateCheckpoint(checkpoint) {
      await write(pathOf(folder, "checkpoint", placeOf(checkpoint)), checkpoint);
    },
    async claimOwnership(wanted) {
      const claimed: PartitionOwnership[] = [];
      for (const one of wanted) {
        const path = pathOf(folder, "ownership", placeOf(one));
        const current = await read<PartitionOwnership>(path, one.partitionId);
        if (current?.etag !== one.etag) continue;
        const mine = { ...one, etag: randomUUID(), lastModifiedTimeInMs: Date.now() };
        await write(path, mine);
        const now = await read<PartitionOwnership>(path, one.partitionId);
        if (now?.etag === mine.etag) claimed.push(mine);
      }
      return claimed;
    },
  };
}

type PlaceNames = readonly [
  namespace: string,
  eventHub: string,
  consumerGroup: string,
  ...unknown[],
];

function placeOf({ fullyQualifiedNamespace, eventHubName, consumerGroup }: Place): PlaceNames {
  return [fullyQualifiedNamespace, eventHubName, consumerGroup];
}

/** Names of Event Hubs do not depend on case, and none may lead out of the folder. */
function pathOf(folder: string, kind: string, [namespace, eventHub, group]: PlaceNames): string {
  const parts = [namespace, eventHub, group].map((name) =>
    encodeURIComponent(name.toLowerCase()).replace(/^\.+/u, "_"),
  );
  return join(folder, ...parts, kind);
}

async function entries<T>(path: string): Promise<T[]> {
  const names = await orNothing(readdir(path), [], path);
  const found: T[] = [];
  for (const name of names) {
    if (!/^\d+\.json$/u.test(name)) continue;
    const entry = await read<T>(path, name.slice(0, -".json".length));
    if (entry !== undefined) found.push(entry);
  }
  return found;
}

async function read<T>(path: string, partitionId: string): Promise<T | undefined> {
  const file = join(path, `${partitionId}.json`);
  const text = await orNothing(readFile(file, "utf8"), undefined, file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw unavailable(
      `Cannot read "${file}": it is no JSON. Delete it to read its partition from the beginning`,
      cause,
    );
  }
}

/** On disk before it is in place: a machine that loses its power finds the old or the new one. */
async function write(path: string, entry: { readonly partitionId: string }): Promise<void> {
  const file = join(path, `${entry.partitionId}.json`);
  const draft = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    await mkdir(path, { recursive: true });
    const handle = await open(draft, "w");
    try {
      await handle.writeFile(JSON.stringify(entry));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (cause) {
    throw unavailable(`Cannot write "${file}": ${codeOf(cause)}`, cause);
  }
}

async function orNothing<T>(reading: Promise<T>, nothing: T, path: string): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return nothing;
    throw unavailable(`Cannot read "${path}": ${codeOf(cause)}`, cause);
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? "unknown reason";
}

function unavailable(message: string, cause: unknown): BridgeError {
  return new BridgeError("STATE_UNAVAILABLE", message, { cause, retryable: true });
}
