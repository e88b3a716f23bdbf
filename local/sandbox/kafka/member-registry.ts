import { ERROR } from "./error-codes.ts";
import type { GroupMember } from "./group-member.ts";
import type { GroupProtocol } from "./group-types.ts";

/** The members of one group, dynamic and static, in the order in which they came. */
export class MemberRegistry {
  private readonly members = new Map<string, GroupMember>();
  private readonly staticMembers = new Map<string, GroupMember>();

  get size(): number {
    return this.members.size;
  }

  all(): GroupMember[] {
    return [...this.members.values()];
  }

  get(memberId: string): GroupMember | undefined {
    return this.members.get(memberId);
  }

  byInstance(instanceId: string | null): GroupMember | undefined {
    return instanceId === null ? undefined : this.staticMembers.get(instanceId);
  }

  /** The member that shows these ids, or the error code that says why it is none. */
  find(memberId: string, instanceId: string | null): GroupMember | number {
    const holder = this.byInstance(instanceId);
    if (holder !== undefined && holder.id !== memberId) return ERROR.fencedInstanceId;
    return this.members.get(memberId) ?? ERROR.unknownMemberId;
  }

  add(member: GroupMember): void {
    this.members.set(member.id, member);
    if (member.instanceId !== null) this.staticMembers.set(member.instanceId, member);
  }

  remove(member: GroupMember): void {
    this.members.delete(member.id);
    if (member.instanceId !== null) this.staticMembers.delete(member.instanceId);
  }

  /** A static member came back as another process: the old id is worth nothing from now on. */
  rename(member: GroupMember, memberId: string): void {
    this.members.delete(member.id);
    member.id = memberId;
    this.members.set(memberId, member);
  }

  /** Whether all but `except` could follow one of these protocols. */
  canFollow(protocols: readonly GroupProtocol[], except: GroupMember | undefined): boolean {
    const others = this.all().filter((member) => member !== except);
    return protocols.some(({ name }) => others.every((member) => member.can(name)));
  }

  /** The protocol that all can follow and most prefer. */
  electProtocol(): string {
    const all = this.all();
    const votes = new Map<string, number>();
    for (const member of all) {
      const vote = member.protocols.find(({ name }) => all.every((other) => other.can(name)));
      if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    const ranked = [...votes].sort(([, left], [, right]) => right - left);
    return ranked[0]?.[0] ?? "";
  }
}
