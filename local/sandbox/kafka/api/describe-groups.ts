import { type Api, type ApiContext, defineApi } from "../api.ts";
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { ConsumerGroup } from "../consumer-group.ts";
import { ERROR } from "../error-codes.ts";

interface Described {
  readonly id: string;
  readonly errorCode: number;
  readonly group: ConsumerGroup | undefined;
}

/** Stands for "not asked for" in the bit field of allowed operations. */
const NO_OPERATIONS = -2_147_483_648;

/**
 * DescribeGroups v0-4. Request: [group_id string], include_authorized_operations boolean (v3+).
 * Response: throttle_time_ms int32 (v1+), [error_code int16, group_id string, state string, protocol_type string, protocol string,
 *   [member_id string, group_instance_id string (v4), client_id string, client_host string, metadata bytes, assignment bytes],
 *   authorized_operations int32 (v3+)]. A group that is not known is "Dead", without an error.
 */
export const describeGroups: Api = defineApi<readonly string[], readonly Described[]>({
  key: 15,
  name: "DescribeGroups",
  minVersion: 0,
  maxVersion: 4,
  decode(reader: ByteReader, version) {
    const ids = reader.array((item) => item.string());
    if (version >= 3) reader.boolean();
    return ids;
  },
  targets: (ids) => ids.map((group) => ({ group })),
  apply: (ids, context) => ids.map((id) => describe(id, context)),
  encode(writer, groups, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.array(groups, (_, { id, errorCode, group }) => {
      writer
        .int16(errorCode)
        .string(id)
        .string(group?.state ?? "Dead");
      writer.string(group?.protocolType ?? "").string(group?.protocol ?? "");
      if (group === undefined) writer.int32(0);
      else encodeMembers(writer, group, version);
      if (version >= 3) writer.int32(NO_OPERATIONS);
    });
  },
});

function describe(id: string, { state, faults }: ApiContext): Described {
  const refusal = faults.refusal({ group: id });
  if (refusal !== undefined) return { id, errorCode: refusal.errorCode, group: undefined };
  return { id, errorCode: ERROR.none, group: state.groups.find(id) };
}

function encodeMembers(writer: ByteWriter, group: ConsumerGroup, version: number): void {
  writer.array(group.describeMembers(), (_, member) => {
    writer.string(member.id);
    if (version >= 4) writer.string(member.instanceId);
    writer.string(member.clientId).string(member.clientHost);
    writer.bytes(member.metadataFor(group.protocol)).bytes(member.assignment);
  });
}
