/**
 * Static membership (KIP-345), which kafkajs encodes but has no option for. A member with a group instance id takes the place of the one
 * that had the id before: after a crash the group need not wait until the session of the dead member times out.
 */
import type { JoinHook } from "./join-hook.ts";

type Options = Record<string, unknown>;

/** Group instance ids by member id. */
const instances = new Map<string, string>();

/** The options of a request of a member, with its group instance id if it has one. */
export function withGroupInstance(options: Options): Options {
  const instance = instances.get(String(options["memberId"]));
  return instance === undefined ? options : { ...options, groupInstanceId: instance };
}

/** When a member is no more. */
export function forgetMember(memberId: string): void {
  instances.delete(memberId);
}

/**
 * What a member asks with to join, and `onJoined` for what it gets. Nothing changes for members without an instance id, or where it is not
 * `possible`.
 *
 * Who joins without a member id takes a dead member's place, and with it the old assignment as it stands, which may be older than the
 * topics and their partitions. So a newcomer asks twice: first with other metadata, to take the place, then with its own, which differs
 * and makes the group share out anew. kafkajs asks again by itself when told that it needs the member id it was given.
 */
export function joinStatically(
  options: Options,
  possible: boolean,
): { readonly options: Options; readonly onJoined: (memberId: string) => void } {
  const protocols = options["groupProtocols"] as readonly (JoinHook & { metadata: Buffer })[];
  const instance = protocols[0]?.groupInstanceId;
  if (instance === undefined || !possible) return { options, onJoined: () => undefined };
  const isNewcomer = options["memberId"] === "";
  const groupProtocols = protocols.map((protocol) => ({
    ...protocol,
    metadata: isNewcomer ? (protocol.metadataOfNewcomer ?? protocol.metadata) : protocol.metadata,
  }));
  return {
    options: { ...options, groupProtocols, groupInstanceId: instance },
    onJoined(memberId): void {
      instances.set(memberId, instance);
      if (isNewcomer) throw new MemberIdRequired(memberId);
    },
  };
}

/** kafkajs tells it by its name. */
class MemberIdRequired extends Error {
  override readonly name = "KafkaJSMemberIdRequired";
  readonly memberId: string;

  constructor(memberId: string) {
    super("The member joins again with the member id that it was given");
    this.memberId = memberId;
  }
}
