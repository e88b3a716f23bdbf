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
    isConnected(): boolean;
    connect(): Promise<boolean>;
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
