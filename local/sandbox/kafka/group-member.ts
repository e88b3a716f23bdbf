import { ERROR } from "./error-codes.ts";
import {
  type GroupProtocol,
  type JoinAnswer,
  type JoinOrigin,
  type JoinRequest,
  joinRefusal,
  NO_BYTES,
  type SyncAnswer,
  syncRefusal,
} from "./group-types.ts";

/** One member of a group, and the answers that it waits for. */
export class GroupMember {
  id: string;
  readonly instanceId: string | null;
  assignment: Buffer = NO_BYTES;
  private request: JoinRequest;
  private origin: JoinOrigin;
  private answerJoin: ((answer: JoinAnswer) => void) | undefined;
  private answerSync: ((answer: SyncAnswer) => void) | undefined;

  constructor(id: string, request: JoinRequest, origin: JoinOrigin) {
    this.id = id;
    this.instanceId = request.instanceId;
    this.request = request;
    this.origin = origin;
  }

  get clientId(): string {
    return this.origin.clientId;
  }

  get clientHost(): string {
    return this.origin.clientHost;
  }

  get sessionTimeoutMs(): number {
    return this.request.sessionTimeoutMs;
  }

  get rebalanceTimeoutMs(): number {
    return this.request.rebalanceTimeoutMs;
  }

  get protocols(): readonly GroupProtocol[] {
    return this.request.protocols;
  }

  get isJoining(): boolean {
    return this.answerJoin !== undefined;
  }

  get isSyncing(): boolean {
    return this.answerSync !== undefined;
  }

  /** Takes over what a later join says. Returns whether that changes what the group divides by. */
  update(request: JoinRequest, origin: JoinOrigin): boolean {
    const before = this.protocols;
    this.request = request;
    this.origin = origin;
    return !sameProtocols(before, request.protocols);
  }

  can(protocol: string): boolean {
    return this.protocols.some(({ name }) => name === protocol);
  }

  metadataFor(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES;
  }

  /** A join that is under way already, over another connection, ends. */
  awaitJoin(): Promise<JoinAnswer> {
    this.settleJoin(joinRefusal(ERROR.rebalanceInProgress, this.id));
    return new Promise((resolve) => {
      this.answerJoin = resolve;
    });
  }

  awaitSync(): Promise<SyncAnswer> {
    this.settleSync(syncRefusal(ERROR.rebalanceInProgress));
    return new Promise((resolve) => {
      this.answerSync = resolve;
    });
  }

  settleJoin(answer: JoinAnswer): void {
    const { answerJoin } = this;
    this.answerJoin = undefined;
    answerJoin?.(answer);
  }

  settleSync(answer: SyncAnswer): void {
    const { answerSync } = this;
    this.answerSync = undefined;
    answerSync?.(answer);
  }

  /** Ends whatever it waits for with this error. */
  refuse(errorCode: number): void {
    this.settleJoin(joinRefusal(errorCode, this.id));
    this.settleSync(syncRefusal(errorCode));
  }
}

function sameProtocols(left: readonly GroupProtocol[], right: readonly GroupProtocol[]): boolean {
  return (
    left.length === right.length &&
    left.every((protocol, i) => {
      const other = right[i];
      return protocol.name === other?.name && protocol.metadata.equals(other.metadata);
    })
  );
}
