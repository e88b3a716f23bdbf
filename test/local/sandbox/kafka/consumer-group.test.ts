import { beforeEach, describe, expect, test } from "vitest";
import { ConsumerGroup } from "../../../../local/sandbox/kafka/consumer-group.ts";
import { ERROR } from "../../../../local/sandbox/kafka/error-codes.ts";
import type {
  JoinAnswer,
  JoinRequest,
  SyncAnswer,
} from "../../../../local/sandbox/kafka/group-types.ts";
import { settle, VirtualClock } from "../../../support/virtual-clock.ts";

let clock: VirtualClock;
let group: ConsumerGroup;
beforeEach(() => {
  clock = new VirtualClock();
  group = new ConsumerGroup("g", clock);
});

const METADATA = Buffer.from("topics");

function request(changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    groupId: "g",
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: "",
    instanceId: null,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: METADATA }],
    ...changes,
  };
}

const ORIGIN = { clientId: "c", clientHost: "/127.0.0.1", canRetryWithMemberId: true };

/** What a promise came to by now. */
function watch<T>(promise: Promise<T>): { answer: T | undefined } {
  const watched: { answer: T | undefined } = { answer: undefined };
  void promise.then((answer) => {
    watched.answer = answer;
  });
  return watched;
}

function join(changes: Partial<JoinRequest> = {}): { answer: JoinAnswer | undefined } {
  return watch(group.join(request(changes), ORIGIN));
}

/** Gets a member id as kafkajs does, and joins with it. */
async function enter(
  changes: Partial<JoinRequest> = {},
): Promise<{ id: string; joined: { answer: JoinAnswer | undefined } }> {
  const first = await group.join(request(changes), ORIGIN);
  expect(first.errorCode).toBe(ERROR.memberIdRequired);
  const joined = join({ ...changes, memberId: first.memberId });
  await settle();
  return { id: first.memberId, joined };
}

const who = (memberId: string, generationId: number, instanceId: string | null = null) => ({
  groupId: "g",
  generationId,
  memberId,
  instanceId,
});

function sync(
  memberId: string,
  generationId: number,
  assignments: Record<string, string> = {},
): { answer: SyncAnswer | undefined } {
  const entries = Object.entries(assignments).map(
    ([id, text]) => [id, Buffer.from(text)] as [string, Buffer],
  );
  return watch(group.sync(who(memberId, generationId), new Map(entries)));
}

/** A stable group of one leader and one follower. */
async function stablePair(): Promise<{ leader: string; follower: string; generation: number }> {
  const a = await enter();
  sync(a.id, 1, { [a.id]: "all" });
  const b = await enter();
  const again = join({ memberId: a.id });
  await settle();
  expect(again.answer?.generationId).toBe(2);
  sync(a.id, 2, { [a.id]: "half", [b.id]: "other half" });
  sync(b.id, 2);
  await settle();
  expect(group.state).toBe("Stable");
  return { leader: a.id, follower: b.id, generation: 2 };
}

describe("ConsumerGroup", () => {
  test("the first member leads generation 1 and is told of itself", async () => {
    const { id, joined } = await enter();
    expect(joined.answer).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolName: "range",
      leaderId: id,
      members: [{ memberId: id, instanceId: null, metadata: METADATA }],
    });
    expect(group.state).toBe("CompletingRebalance");
  });

  test("a member that cannot come back with an id is let in at once", async () => {
    const answer = await group.join(request(), { ...ORIGIN, canRetryWithMemberId: false });
    expect(answer.errorCode).toBe(0);
  });

  test("an id that was given out and never used holds a rebalance up for its session only", async () => {
    const { id } = await enter();
    sync(id, 1, { [id]: "all" });
    await group.join(request(), ORIGIN);
    const again = join({ memberId: id });
    await settle();
    expect(again.answer).toBeUndefined();
    await clock.advance(10_000);
    expect(again.answer?.generationId).toBe(2);
  });

  test("a second member waits until the first has joined again; both learn the same generation", async () => {
    const { id } = await enter();
    sync(id, 1, { [id]: "all" });
    const second = await enter();
    expect(second.joined.answer).toBeUndefined();
    expect(group.heartbeat(who(id, 1))).toBe(ERROR.rebalanceInProgress);
    const again = join({ memberId: id });
    await settle();
    expect(again.answer).toMatchObject({ generationId: 2, leaderId: id });
    expect(again.answer?.members).toHaveLength(2);
    expect(second.joined.answer).toMatchObject({ generationId: 2, leaderId: id, members: [] });
  });

  test("a follower's sync waits for the leader's, and each gets its own part", async () => {
    const { id } = await enter();
    sync(id, 1, { [id]: "all" });
    const second = await enter();
    join({ memberId: id });
    await settle();
    const follower = sync(second.id, 2);
    await settle();
    expect(follower.answer).toBeUndefined();
    const leader = sync(id, 2, { [id]: "half", [second.id]: "other half" });
    await settle();
    expect(leader.answer?.assignment.toString()).toBe("half");
    expect(follower.answer?.assignment.toString()).toBe("other half");
    expect(group.state).toBe("Stable");
  });

  test("a member that does not join again within the rebalance timeout is out", async () => {
    const a = await enter({ rebalanceTimeoutMs: 5000 });
    sync(a.id, 1, { [a.id]: "all" });
    const b = await enter({ rebalanceTimeoutMs: 5000 });
    await clock.advance(4999);
    expect(b.joined.answer).toBeUndefined();
    await clock.advance(1);
    expect(b.joined.answer).toMatchObject({ generationId: 2, leaderId: b.id });
    expect(group.heartbeat(who(a.id, 1))).toBe(ERROR.unknownMemberId);
  });

  test("silence for the session timeout ends a membership; heartbeats and commits prolong it", async () => {
    const { leader, follower, generation } = await stablePair();
    await clock.advance(9000);
    expect(group.heartbeat(who(leader, generation))).toBe(0);
    expect(group.mayCommit(who(follower, generation))).toBe(0);
    await clock.advance(9000);
    expect(group.heartbeat(who(leader, generation))).toBe(0);
    await clock.advance(1000);
    expect(group.heartbeat(who(leader, generation))).toBe(ERROR.rebalanceInProgress);
    expect(group.heartbeat(who(follower, generation))).toBe(ERROR.unknownMemberId);
  });

  test("waiting for an answer is no silence", async () => {
    const { id } = await enter({ sessionTimeoutMs: 1000 });
    sync(id, 1, { [id]: "all" });
    const waiting = await enter({ sessionTimeoutMs: 1000 });
    await clock.advance(500);
    expect(group.heartbeat(who(id, 1))).toBe(ERROR.rebalanceInProgress);
    await clock.advance(900);
    expect(group.heartbeat(who(id, 1))).toBe(ERROR.rebalanceInProgress);
    join({ memberId: id });
    await settle();
    expect(waiting.joined.answer?.errorCode).toBe(0);
  });

  test("leaving starts a rebalance at once; the last one leaves the group empty", async () => {
    const { leader, follower, generation } = await stablePair();
    expect(group.leave(leader, null)).toBe(0);
    expect(group.heartbeat(who(follower, generation))).toBe(ERROR.rebalanceInProgress);
    const again = join({ memberId: follower });
    await settle();
    expect(again.answer).toMatchObject({ generationId: 3, leaderId: follower });
    expect(group.leave(follower, null)).toBe(0);
    expect(group.state).toBe("Empty");
    expect(group.leave(follower, null)).toBe(ERROR.unknownMemberId);
  });

  test("a rebalance refuses those who wait for an assignment", async () => {
    const { id } = await enter();
    sync(id, 1, { [id]: "all" });
    const second = await enter();
    join({ memberId: id });
    await settle();
    const waiting = sync(second.id, 2);
    await enter();
    expect(waiting.answer?.errorCode).toBe(ERROR.rebalanceInProgress);
  });

  test("a join repeated because its answer was lost gets the same answer, without a rebalance", async () => {
    const { leader, follower, generation } = await stablePair();
    const repeated = join({ memberId: follower });
    await settle();
    expect(repeated.answer).toMatchObject({ generationId: generation, leaderId: leader });
    expect(group.state).toBe("Stable");
  });

  test("a follower with another subscription, and a leader that joins again, start a rebalance", async () => {
    const { leader, follower } = await stablePair();
    const other = [{ name: "range", metadata: Buffer.from("other topics") }];
    join({ memberId: follower, protocols: other });
    await settle();
    expect(group.state).toBe("PreparingRebalance");
    join({ memberId: leader });
    await settle();
    expect(group.state).toBe("CompletingRebalance");
  });

  const refusals: { name: string; changes: Partial<JoinRequest>; errorCode: number }[] = [
    {
      name: "an id that nobody gave out",
      changes: { memberId: "stranger" },
      errorCode: ERROR.unknownMemberId,
    },
    {
      name: "another type of protocol",
      changes: { protocolType: "connect" },
      errorCode: ERROR.inconsistentGroupProtocol,
    },
    {
      name: "no protocol that all can follow",
      changes: { protocols: [{ name: "sticky", metadata: METADATA }] },
      errorCode: ERROR.inconsistentGroupProtocol,
    },
    {
      name: "no protocol at all",
      changes: { protocols: [] },
      errorCode: ERROR.inconsistentGroupProtocol,
    },
  ];
  test.each(refusals)("refuses $name", async ({ changes, errorCode }) => {
    await stablePair();
    const { answer } = join(changes);
    expect(answer).toBeUndefined();
    await settle();
    expect(await group.join(request(changes), ORIGIN)).toMatchObject({ errorCode });
    expect(group.state).toBe("Stable");
  });

  test("takes the protocol that all can follow and most prefer", async () => {
    const protocols = (...names: string[]) =>
      names.map((name) => ({ name, metadata: Buffer.from(name) }));
    const a = await enter({ protocols: protocols("sticky", "range") });
    sync(a.id, 1);
    const b = await enter({ protocols: protocols("range") });
    join({ memberId: a.id, protocols: protocols("sticky", "range") });
    await settle();
    expect(b.joined.answer?.protocolName).toBe("range");
  });

  test("refuses the old generation and commits in the middle of a rebalance", async () => {
    const { leader, follower, generation } = await stablePair();
    expect(group.mayCommit(who(leader, generation - 1))).toBe(ERROR.illegalGeneration);
    expect(group.mayCommit(who("", -1))).toBe(ERROR.unknownMemberId);
    join({ memberId: leader });
    await settle();
    // before the new generation the old one may still commit what it has done
    expect(group.mayCommit(who(follower, generation))).toBe(0);
    join({ memberId: follower });
    await settle();
    expect(group.mayCommit(who(leader, generation + 1))).toBe(ERROR.rebalanceInProgress);
  });

  test("without members anyone commits who claims no generation", () => {
    expect(group.mayCommit(who("", -1))).toBe(0);
    expect(group.mayCommit(who("m", 1))).toBe(ERROR.unknownMemberId);
  });
});

describe("ConsumerGroup, static members", () => {
  async function stableStatic(): Promise<string> {
    const joined = await group.join(request({ instanceId: "edge-1" }), ORIGIN);
    expect(joined.errorCode).toBe(0);
    await group.sync(
      who(joined.memberId, 1, "edge-1"),
      new Map([[joined.memberId, Buffer.from("all")]]),
    );
    return joined.memberId;
  }

  test("one that comes back has its assignment again, without a rebalance, and the old process is fenced", async () => {
    const before = await stableStatic();
    const back = await group.join(request({ instanceId: "edge-1" }), ORIGIN);
    expect(back).toMatchObject({ errorCode: 0, generationId: 1, leaderId: before, members: [] });
    expect(back.memberId).not.toBe(before);
    expect(group.state).toBe("Stable");
    const synced = await group.sync(who(back.memberId, 1, "edge-1"), new Map());
    expect(synced.assignment.toString()).toBe("all");
    expect(group.heartbeat(who(before, 1, "edge-1"))).toBe(ERROR.fencedInstanceId);
    expect(group.heartbeat(who(back.memberId, 1, "edge-1"))).toBe(0);
  });

  test("one that comes back with another subscription starts a rebalance", async () => {
    await stableStatic();
    const protocols = [{ name: "range", metadata: Buffer.from("other") }];
    const back = await group.join(request({ instanceId: "edge-1", protocols }), ORIGIN);
    expect(back).toMatchObject({ generationId: 2, leaderId: back.memberId });
  });

  test("one that stays away keeps its place through a rebalance, until its session ends", async () => {
    await stableStatic();
    const other = await enter({ rebalanceTimeoutMs: 2000, sessionTimeoutMs: 20_000 });
    await clock.advance(9999);
    expect(group.describeMembers()).toHaveLength(2);
    await clock.advance(60_000);
    expect(group.describeMembers().map(({ instanceId }) => instanceId)).not.toContain("edge-1");
    expect(other.joined.answer?.errorCode).toBe(0);
  });

  test("an administrator removes one by its instance alone", async () => {
    await stableStatic();
    expect(group.leave("", "edge-1")).toBe(0);
    expect(group.state).toBe("Empty");
  });
});

describe("ConsumerGroup, while the broker is down", () => {
  test("a stable group has its members afterwards, with a whole session timeout to be heard of", async () => {
    const { leader, generation } = await stablePair();
    await clock.advance(9000);
    group.suspend();
    await clock.advance(60_000);
    group.resume();
    await clock.advance(9000);
    expect(group.heartbeat(who(leader, generation))).toBe(0);
  });

  test("a rebalance comes to nothing: everybody is answered and must join anew", async () => {
    const { id } = await enter();
    sync(id, 1, { [id]: "all" });
    const second = await enter();
    group.suspend();
    await settle();
    expect(second.joined.answer?.errorCode).toBe(ERROR.rebalanceInProgress);
    group.resume();
    expect(group.state).toBe("Empty");
    expect(group.heartbeat(who(id, 1))).toBe(ERROR.unknownMemberId);
  });
});
