import type { LogLevel } from "../shared/engine/ports.ts";
import type { RouteStatus } from "../shared/engine/status.ts";
import { BridgeError, type ErrorCode, toBridgeError } from "../shared/errors.ts";
import type { SecretRef } from "../shared/model/connection.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { Crossing } from "../shared/pages/status-view.ts";

/** What a worker thread is born with. Secrets are not in it: the worker asks for each when it opens a connection. */
export interface WorkerBirth {
  readonly plan: Plan;
  readonly instance: number;
  readonly memoryBudgetBytes: number;
  readonly drainMs: number;
  readonly startTimeoutMs: number;
  readonly checkpointFolder?: string | undefined;
  readonly tap: boolean;
}

/** A {@link BridgeError} that can be posted. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export type SecretQuestion =
  | { readonly about: "secret"; readonly name: string }
  | { readonly about: "configMap"; readonly name: string }
  | { readonly about: "value"; readonly ref: SecretRef };

/** From the main thread to a worker. */
export type ToWorker =
  | { readonly kind: "stop" }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly error: ErrorMessage };

/** From a worker to the main thread. */
export type FromWorker =
  | { readonly kind: "started" }
  | { readonly kind: "failed"; readonly error: ErrorMessage }
  | { readonly kind: "status"; readonly routes: readonly RouteStatus[] }
  | { readonly kind: "crossing"; readonly crossing: Crossing }
  | { readonly kind: "question"; readonly id: number; readonly question: SecretQuestion }
  | {
      readonly kind: "log";
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

/** Makes anything thrown fit for posting. */
export function errorToMessage(thrown: unknown, doing: string): ErrorMessage {
  const { code, message, retryable } = toBridgeError(thrown, "STOPPED", doing);
  return { code, message, retryable };
}

/** The error again, on the other side. */
export function errorFromMessage({ code, message, retryable }: ErrorMessage): BridgeError {
  return new BridgeError(code, message, { retryable });
}
