/** What a request is about, as far as faults can be aimed at it. */
export interface FaultTarget {
  readonly topic?: string;
  readonly partition?: number;
  readonly group?: string;
}

/** One request, or the part of it for one partition, topic or group. */
export interface FaultRequest extends FaultTarget {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly clientId: string | null;
}

/** What is to go wrong. */
export type Fault =
  /** Answers with this Kafka error code. Nothing is done, unless `applied`: then it is done all the same (Produce, OffsetCommit). */
  | { readonly errorCode: number; readonly applied?: boolean }
  /** Closes the connection without an answer: before anything is done (`true` and "before"), or "after", so that the answer is lost. */
  | { readonly close: true | "before" | "after" }
  /** Waits before anything is done. */
  | { readonly delayMs: number }
  /** Never answers, with the connection open; nothing is done, or with "after" it is. */
  | { readonly blackhole: true | "after" }
  /** Answers at once, names this throttle time, and reads nothing more from the connection while it lasts. */
  | { readonly throttleTimeMs: number };

/**
 * Asked for every request that arrives: once for each partition or topic that it names, else once.
 * Undefined lets it pass.
 */
export type FaultHook = (request: FaultRequest) => Fault | undefined;

export interface Refusal {
  readonly errorCode: number;
  readonly applied: boolean;
}

/** The faults of one request together. */
export interface FaultPlan {
  readonly delayMs: number;
  readonly throttleTimeMs: number;
  readonly close: "before" | "after" | undefined;
  readonly blackhole: "before" | "after" | undefined;
  /** The refusal of one partition, topic or group, if it is to be refused. */
  refusal(target: FaultTarget): Refusal | undefined;
}

const NO_FAULTS: FaultPlan = {
  delayMs: 0,
  throttleTimeMs: 0,
  close: undefined,
  blackhole: undefined,
  refusal: () => undefined,
};

const targetKey = ({ topic, partition, group }: FaultTarget): string =>
  JSON.stringify([topic, partition, group]);

/** Asks the hook for every target of a request. */
export function planFaults(
  hook: FaultHook | undefined,
  request: Omit<FaultRequest, keyof FaultTarget>,
  targets: readonly FaultTarget[],
): FaultPlan {
  if (hook === undefined) return NO_FAULTS;
  const refusals = new Map<string, Refusal>();
  let plan = NO_FAULTS;
  for (const target of targets.length === 0 ? [{}] : targets) {
    const fault = hook({ ...request, ...target });
    if (fault === undefined) continue;
    if ("errorCode" in fault) {
      const { errorCode, applied = false } = fault;
      refusals.set(targetKey(target), { errorCode, applied });
    } else {
      plan = { ...plan, ...wholeRequest(fault) };
    }
  }
  return { ...plan, refusal: (target) => refusals.get(targetKey(target)) };
}

type WholeRequestFault = Exclude<Fault, { readonly errorCode: number }>;

/** Of two of one kind the later counts. */
function wholeRequest(fault: WholeRequestFault): Partial<FaultPlan> {
  if ("close" in fault) return { close: fault.close === "after" ? "after" : "before" };
  if ("blackhole" in fault) return { blackhole: fault.blackhole === "after" ? "after" : "before" };
  return fault;
}
