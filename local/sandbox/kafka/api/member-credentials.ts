import type { ByteReader } from "../byte-reader.ts";
import type { MemberCredentials } from "../group-types.ts";

/** Reads group_id string, generation_id int32, member_id string, group_instance_id string (when there is one). */
export function readCredentials(reader: ByteReader, hasInstanceId: boolean): MemberCredentials {
  return {
    groupId: reader.string(),
    generationId: reader.int32(),
    memberId: reader.string(),
    instanceId: hasInstanceId ? reader.nullableString() : null,
  };
}
