/** The one module of kafkajs 2.2.4 below its public surface: record-seam.ts reaches into it. */
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
  export const requests: { Fetch: Definition; Produce: Definition };
}
