/** The modules of kafkajs 2.2.4 below its public surface: record-seam.ts and connect-seam.ts reach into them. */
declare module "kafkajs/src/protocol/requests/index.js" {
  interface Request {
    apiKey: number;
    apiVersion: number;
    apiName: string;
    expectResponse?: () => boolean;
    encode(): Promise<unknown>;
  }
  interface Protocol {
    request: Request;
    response: {
      decode(raw: Buffer): Promise<unknown>;
      parse(data: unknown): Promise<unknown>;
    };
    requestTimeout?: number;
  }
  interface Definition {
    versions: string[];
    protocol: (at: { version: number }) => (options: Record<string, unknown>) => Protocol;
  }
  const module: {
    requests: Record<
      "Fetch" | "Produce" | "JoinGroup" | "SyncGroup" | "Heartbeat" | "LeaveGroup" | "Metadata",
      Definition
    >;
  };
  export = module;
}

declare module "kafkajs/src/network/connection.js" {
  interface Connection {
    readonly socketFactory: object;
    readonly socket?: { destroy(error: Error): void };
    /** Of the answer that is coming in: what is there, how much of it, and how much it takes. */
    chunks: Buffer[];
    bytesBuffered: number;
    bytesNeeded: number;
    isConnected(): boolean;
    connect(): Promise<boolean>;
    send(protocol: object): Promise<unknown>;
  }
  const module: { readonly prototype: Connection };
  export = module;
}

declare module "kafkajs/src/network/requestQueue/index.js" {
  interface RequestQueue {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
  }
  const module: { readonly prototype: RequestQueue };
  export = module;
}

declare module "kafkajs/src/consumer/consumerGroup.js" {
  interface ConsumerGroup {
    /** Made anew with every assignment. */
    readonly offsetManager: unknown;
    fetch(nodeId: string): Promise<{ isCurrent?: () => boolean }[]>;
  }
  const module: { readonly prototype: ConsumerGroup };
  export = module;
}

declare module "kafkajs/src/protocol/error.js" {
  import type { KafkaJSProtocolError } from "kafkajs";
  export function createErrorFromCode(errorCode: number): KafkaJSProtocolError;
}
