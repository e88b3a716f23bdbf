import type { Clock } from "../../../shared/engine/ports.ts";
import { ERROR } from "./error-codes.ts";
import { GroupMember } from "./group-member.ts";
import {
  type GroupState,
  type JoinAnswer,
  type JoinOrigin,
  type JoinRequest,
  joinRefusal,
  type MemberCredentials,
  NO_BYTES,
  type SyncAnswer,
  syncRefusal,
} from "./group-types.ts";
import { MemberRegistry } from "./member-registry.ts";
import { MemberTimers } from "./member-timers.ts";

/**
 * Membership of one consumer group by Kafka's classic protocol: members join, the leader among them divides the partitions,
 * all sync, and a member that falls silent for its session timeout is out. Answers may come much later, when all have joined.
 */
export class ConsumerGroup {
  readonly id: string;
  private readonly clock: Clock;
  private readonly members = new MemberRegistry();
  private readonly sessions: MemberTimers<GroupMember>;
  /** Ids given out to members that have not come back with them yet. */
  private readonly pending: MemberTimers<string>;
  /** How long a rebalance waits for members that have not joined. */
  private readonly rebalance: MemberTimers<"rebalance">;
  private currentState: GroupState = "Empty";
  private generationId = 0;
  private protocolTypeName = "";
  private protocolName = "";
  private leader: GroupMember | undefined;

  constructor(id: string, clock: Clock) {
    this.id = id;
    this.clock = clock;
    this.sessions = new MemberTimers(clock, (member) => this.silent(member));
    this.pending = new MemberTimers(clock, () => this.completeJoinIfAllJoined());
    this.rebalance = new MemberTimers(clock, () => this.completeJoin());
  }

  get state(): GroupState {
    return this.currentState;
  }

  get protocolType(): string {
    return this.protocolTypeName;
  }

  get protocol(): string {
    return this.protocolName;
  }

  describeMembers(): readonly GroupMember[] {
    return this.members.all();
  }

  async join(request: JoinRequest, origin: JoinOrigin): Promise<JoinAnswer> {
    const { memberId, instanceId } = request;
    const holder = this.members.byInstance(instanceId);
    const known = memberId === "" ? holder : this.members.get(memberId);
    if (!this.acceptsProtocols(request, known)) {
      return joinRefusal(ERROR.inconsistentGroupProtocol, memberId);
    }
    if (memberId === "") {
      return holder === undefined
        ? await this.joinNew(request, origin)
        : await this.replaceStatic(holder, request, origin);
    }
    if (this.pending.has(memberId)) {
      this.pending.stop(memberId);
      return await this.add(memberId, request, origin);
    }
    const member = this.members.find(memberId, instanceId);
    if (typeof member === "number") return joinRefusal(member, memberId);
    return await this.rejoin(member, request, origin);
  }

  async sync(
    who: MemberCredentials,
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<SyncAnswer> {
    const member = this.memberOf(who);
    if (typeof member === "number") return syncRefusal(member);
    this.keepAlive(member);
    if (this.currentState === "PreparingRebalance") return syncRefusal(ERROR.rebalanceInProgress);
    if (this.currentState === "Stable") {
      return { errorCode: ERROR.none, assignment: member.assignment };
    }
    const answer = member.awaitSync();
    if (member === this.leader) this.completeSync(assignments);
    return await answer;
  }

  heartbeat(who: MemberCredentials): number {
    const member = this.memberOf(who);
    if (typeof member === "number") return member;
    this.keepAlive(member);
    return this.currentState === "PreparingRebalance" ? ERROR.rebalanceInProgress : ERROR.none;
  }

  leave(memberId: string, instanceId: string | null): number {
    if (this.pending.has(memberId)) {
      this.pending.stop(memberId);
      this.completeJoinIfAllJoined();
      return ERROR.none;
    }
    const holder = this.members.byInstance(instanceId);
    // an administrator names the instance alone
    const member =
      memberId === "" && holder !== undefined ? holder : this.members.find(memberId, instanceId);
    if (typeof member === "number") return member;
    this.drop(member);
    return ERROR.none;
  }

  /** Whether these credentials may commit now; 0 for yes. Without members anyone may who claims no generation. */
  mayCommit(who: MemberCredentials): number {
    if (who.generationId < 0 && this.currentState === "Empty") return ERROR.none;
    const member = this.memberOf(who);
    if (typeof member === "number") return member;
    this.keepAlive(member);
    if (this.currentState !== "CompletingRebalance") return ERROR.none;
    return ERROR.rebalanceInProgress;
  }

  /** The broker goes down: nobody is waited for any longer. Who was in a rebalance must join anew. */
  suspend(): void {
    this.rebalance.stopAll();
    this.pending.stopAll();
    this.sessions.stopAll();
    const keepsMembers = this.currentState === "Stable";
    for (const member of this.members.all()) {
      member.refuse(ERROR.rebalanceInProgress);
      if (!keepsMembers) this.members.remove(member);
    }
    if (keepsMembers) return;
    this.currentState = "Empty";
    this.leader = undefined;
  }

  /** The broker is up again: members have their session timeout from now to be heard of. */
  resume(): void {
    for (const member of this.members.all()) this.keepAlive(member);
  }

  private acceptsProtocols(request: JoinRequest, known: GroupMember | undefined): boolean {
    if (request.protocolType === "" || request.protocols.length === 0) return false;
    if (this.members.size === 0) return true;
    return (
      request.protocolType === this.protocolTypeName &&
      this.members.canFollow(request.protocols, known)
    );
  }

  private memberOf(who: MemberCredentials): GroupMember | number {
    const member = this.members.find(who.memberId, who.instanceId);
    if (typeof member === "number") return member;
    return who.generationId === this.generationId ? member : ERROR.illegalGeneration;
  }

  private async joinNew(request: JoinRequest, origin: JoinOrigin): Promise<JoinAnswer> {
    const id = `${request.instanceId ?? origin.clientId}-${this.clock.newId()}`;
    if (request.instanceId === null && origin.canRetryWithMemberId) {
      this.pending.start(id, request.sessionTimeoutMs);
      return joinRefusal(ERROR.memberIdRequired, id);
    }
    return await this.add(id, request, origin);
  }

  private add(id: string, request: JoinRequest, origin: JoinOrigin): Promise<JoinAnswer> {
    const member = new GroupMember(id, request, origin);
    this.protocolTypeName = request.protocolType;
    this.members.add(member);
    return this.awaitJoin(member);
  }

  private async rejoin(
    member: GroupMember,
    request: JoinRequest,
    origin: JoinOrigin,
  ): Promise<JoinAnswer> {
    const isChanged = member.update(request, origin);
    // who did not get the answer asks again; the leader of a stable group asks for a rebalance
    const isRepeat =
      this.currentState === "CompletingRebalance" ||
      (this.currentState === "Stable" && member !== this.leader);
    if (isChanged || !isRepeat) return await this.awaitJoin(member);
    this.keepAlive(member);
    return this.joinAnswer(member);
  }

  /** A static member that comes back within its session with the same subscription does not disturb the others. */
  private async replaceStatic(
    member: GroupMember,
    request: JoinRequest,
    origin: JoinOrigin,
  ): Promise<JoinAnswer> {
    const leaderBefore = this.leader?.id ?? "";
    member.refuse(ERROR.fencedInstanceId);
    this.members.rename(member, `${request.instanceId}-${this.clock.newId()}`);
    const isChanged = member.update(request, origin);
    if (isChanged || this.currentState !== "Stable") return await this.awaitJoin(member);
    this.keepAlive(member);
    // named by its old id, a leader does not take itself for the leader and keeps the assignment
    return { ...this.joinAnswer(member), leaderId: leaderBefore, members: [] };
  }

  private awaitJoin(member: GroupMember): Promise<JoinAnswer> {
    const answer = member.awaitJoin();
    if (this.currentState !== "PreparingRebalance") this.prepareRebalance();
    this.completeJoinIfAllJoined();
    return answer;
  }

  private prepareRebalance(): void {
    const all = this.members.all();
    for (const member of all) member.settleSync(syncRefusal(ERROR.rebalanceInProgress));
    this.currentState = "PreparingRebalance";
    const longest = Math.max(0, ...all.map((member) => member.rebalanceTimeoutMs));
    this.rebalance.start("rebalance", longest);
  }

  private completeJoinIfAllJoined(): void {
    if (this.currentState !== "PreparingRebalance" || this.pending.size > 0) return;
    if (this.members.all().every((member) => member.isJoining)) this.completeJoin();
  }

  /** Ends the waiting: who has not joined by now is out, but for static members, which have their session timeout. */
  private completeJoin(): void {
    this.rebalance.stopAll();
    for (const member of this.members.all()) {
      if (!member.isJoining && member.instanceId === null) this.remove(member);
    }
    const joined = this.members.all().filter((member) => member.isJoining);
    if (this.members.size > 0 && joined.length === 0) {
      this.prepareRebalance();
      return;
    }
    this.generationId += 1;
    this.currentState = joined.length === 0 ? "Empty" : "CompletingRebalance";
    this.protocolName = this.members.electProtocol();
    if (this.leader === undefined || !joined.includes(this.leader)) this.leader = joined[0];
    for (const member of joined) {
      this.keepAlive(member);
      member.settleJoin(this.joinAnswer(member));
    }
  }

  private completeSync(assignments: ReadonlyMap<string, Buffer>): void {
    this.currentState = "Stable";
    for (const member of this.members.all()) {
      // a copy: the bytes given are part of a request
      member.assignment = Buffer.from(assignments.get(member.id) ?? NO_BYTES);
      if (!member.isSyncing) continue;
      this.keepAlive(member);
      member.settleSync({ errorCode: ERROR.none, assignment: member.assignment });
    }
  }

  private keepAlive(member: GroupMember): void {
    this.sessions.start(member, member.sessionTimeoutMs);
  }

  private silent(member: GroupMember): void {
    // who waits for our answer cannot send heartbeats
    if (!member.isJoining && !member.isSyncing) this.drop(member);
  }

  private drop(member: GroupMember): void {
    this.remove(member);
    if (this.currentState !== "PreparingRebalance") this.prepareRebalance();
    this.completeJoinIfAllJoined();
  }

  private remove(member: GroupMember): void {
    this.sessions.stop(member);
    member.refuse(ERROR.unknownMemberId);
    this.members.remove(member);
    if (member === this.leader) this.leader = undefined;
  }

  private joinAnswer(member: GroupMember): JoinAnswer {
    const members = this.members.all().map((other) => ({
      memberId: other.id,
      instanceId: other.instanceId,
      metadata: other.metadataFor(this.protocolName),
    }));
    return {
      errorCode: ERROR.none,
      generationId: this.generationId,
      protocolName: this.protocolName,
      leaderId: this.leader?.id ?? "",
      memberId: member.id,
      members: member === this.leader ? members : [],
    };
  }
}
