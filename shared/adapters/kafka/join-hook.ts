/** What a group protocol of an assigner may carry to the requests of its member. */
export interface JoinHook {
  /** Awaited before the member asks to join (again). */
  readonly beforeJoin?: () => Promise<void>;
  /** Makes the member a static one, where the broker knows of those: see static-membership.ts. */
  readonly groupInstanceId?: string | undefined;
  /** The protocol's metadata, other than the usual. */
  readonly metadataOfNewcomer?: Buffer;
}
