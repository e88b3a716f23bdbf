import { apiVersions } from "./api/api-versions.ts";
import { createPartitions } from "./api/create-partitions.ts";
import { createTopics } from "./api/create-topics.ts";
import { deleteGroups } from "./api/delete-groups.ts";
import { deleteRecords } from "./api/delete-records.ts";
import { deleteTopics } from "./api/delete-topics.ts";
import { describeConfigs } from "./api/describe-configs.ts";
import { describeGroups } from "./api/describe-groups.ts";
import { fetch } from "./api/fetch.ts";
import { findCoordinator } from "./api/find-coordinator.ts";
import { heartbeat } from "./api/heartbeat.ts";
import { initProducerId } from "./api/init-producer-id.ts";
import { joinGroup } from "./api/join-group.ts";
import { leaveGroup } from "./api/leave-group.ts";
import { listGroups } from "./api/list-groups.ts";
import { listOffsets } from "./api/list-offsets.ts";
import { metadata } from "./api/metadata.ts";
import { offsetCommit } from "./api/offset-commit.ts";
import { offsetFetch } from "./api/offset-fetch.ts";
import { produce } from "./api/produce.ts";
import { saslAuthenticate } from "./api/sasl-authenticate.ts";
import { saslHandshake } from "./api/sasl-handshake.ts";
import { syncGroup } from "./api/sync-group.ts";
import type { Api } from "./api.ts";

const versions = apiVersions(() => [...APIS.values()].map(announced));

/** What this broker speaks, by API key. */
export const APIS: ReadonlyMap<number, Api> = new Map(
  [
    produce,
    fetch,
    listOffsets,
    metadata,
    offsetCommit,
    offsetFetch,
    findCoordinator,
    joinGroup,
    heartbeat,
    leaveGroup,
    syncGroup,
    describeGroups,
    listGroups,
    saslHandshake,
    versions,
    createTopics,
    deleteTopics,
    deleteRecords,
    initProducerId,
    describeConfigs,
    saslAuthenticate,
    createPartitions,
    deleteGroups,
  ].map((api) => [api.key, api]),
);

/** Clients based on librdkafka compress nothing unless Produce begins at 0 (Kafka 4 says so too, and takes as little of it). */
function announced(api: Api): Pick<Api, "key" | "minVersion" | "maxVersion"> {
  return api === produce ? { ...api, minVersion: 0 } : api;
}
