export type GroupState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable";
/** One way of dividing partitions that a member can follow; `metadata` is the clients' own business. */
export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinRequest {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty for a member that is new. */
  readonly memberId: string;
  /** Static membership. */
  readonly instanceId: string | null;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
}

/** Who sent a join: what DescribeGroups shows, and whether it can come back with a member id that it was given. */
export interface JoinOrigin {
  readonly clientId: string;
  readonly clientHost: string;
  readonly canRetryWithMemberId: boolean;
}

export interface JoinAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolName: string;
  readonly leaderId: string;
  readonly memberId: string;
  /** For the leader only. */
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly metadata: Buffer;
  }[];
}

/** What a member shows to prove that it still is one. */
export interface MemberCredentials {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly instanceId: string | null;
}

export interface SyncAnswer {
  readonly errorCode: number;
  readonly assignment: Buffer;
}

export const NO_BYTES: Buffer = Buffer.alloc(0);

/** The answer to a join that comes to nothing. */
export function joinRefusal(errorCode: number, memberId: string): JoinAnswer {
  return {
    errorCode,
    generationId: -1,
    protocolName: "",
    leaderId: "",
    memberId,
    members: [],
  };
}

export function syncRefusal(errorCode: number): SyncAnswer {
  return { errorCode, assignment: NO_BYTES };
}
