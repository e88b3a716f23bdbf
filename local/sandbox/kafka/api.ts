import type { BrokerState } from "./broker-state.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { FaultPlan, FaultTarget } from "./faults.ts";

/** Where a connection stands with SASL. */
export interface Authentication {
  /** Chosen by SaslHandshake. */
  mechanism: string | undefined;
  done: boolean;
  /** A refused login: the connection closes once its answer is sent. */
  failed: boolean;
}

/** What serving a request can use. */
export interface ApiContext {
  readonly state: BrokerState;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
  /** The address by which this client reached the broker. */
  readonly localAddress: string;
  readonly authentication: Authentication;
  readonly faults: FaultPlan;
  /** Calls `fn` when the connection closes before the answer is ready; the returned function ends that. */
  onAbandon(fn: () => void): () => void;
}

export interface Envelope {
  readonly version: number;
  readonly throttleTimeMs: number;
}

/** One API of the Kafka protocol: its versions, both of its layouts, and what it does. */
export interface ApiDefinition<Request, Answer> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** From this version on, the request's header ends with tagged fields. */
  readonly flexibleFrom?: number;
  /** @throws MalformedRequest */
  decode(reader: ByteReader, version: number): Request;
  targets?(request: Request): readonly FaultTarget[];
  /** Undefined sends no answer. */
  apply(request: Request, context: ApiContext): Answer | undefined | Promise<Answer | undefined>;
  encode(writer: ByteWriter, answer: Answer, envelope: Envelope): void;
}

/** A decoded request, ready to be served. */
export interface OpenRequest {
  readonly targets: readonly FaultTarget[];
  /** Resolves to what writes the answer, or to undefined when there is none. */
  serve(
    context: ApiContext,
  ): Promise<((writer: ByteWriter, envelope: Envelope) => void) | undefined>;
}

/** An {@link ApiDefinition} whose types have been closed over. */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleFrom: number;
  open(reader: ByteReader, version: number): OpenRequest;
}

/** Closes an API's own types over, so that different APIs fit one table. */
export function defineApi<Request, Answer>(definition: ApiDefinition<Request, Answer>): Api {
  const { key, name, minVersion, maxVersion, flexibleFrom = Number.POSITIVE_INFINITY } = definition;
  return {
    key,
    name,
    minVersion,
    maxVersion,
    flexibleFrom,
    open: (reader, version) => {
      const request = definition.decode(reader, version);
      return {
        targets: definition.targets?.(request) ?? [],
        serve: async (context) => {
          const answer = await definition.apply(request, context);
          if (answer === undefined) return undefined;
          return (writer, envelope) => definition.encode(writer, answer, envelope);
        },
      };
    },
  };
}
