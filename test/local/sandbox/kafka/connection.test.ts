import { once } from "node:events";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MalformedRequest } from "../../../../local/sandbox/kafka/byte-reader.ts";
import { ByteWriter } from "../../../../local/sandbox/kafka/byte-writer.ts";
import { FrameSplitter } from "../../../../local/sandbox/kafka/frame-splitter.ts";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../../local/sandbox/kafka/sandbox-kafka.ts";

let broker: SandboxKafka;
let defects: unknown[];
const sockets: Socket[] = [];
beforeEach(async () => {
  defects = [];
  broker = await startSandboxKafka({
    maxRequestBytes: 100_000,
    log: (level, message, fields) => {
      if (level === "error") defects.push({ message, fields });
    },
  });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await broker.close();
  expect(defects).toEqual([]);
});

async function open(): Promise<Socket> {
  const socket = connect(broker.port, broker.host);
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** The next answer, without its length. */
async function answer(socket: Socket): Promise<Buffer> {
  const splitter = new FrameSplitter(1_000_000);
  for (;;) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    const [frame] = splitter.push(chunk);
    if (frame !== undefined) return frame;
  }
}

function request(apiKey: number, version: number, body: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter().int16(apiKey).int16(version).int32(42).string("test");
  body(writer);
  return Buffer.concat(writer.frame());
}

const apiVersions = (): Buffer => request(18, 0, () => {});

describe("a connection to the sandbox", () => {
  test("answers ApiVersions of a client that is newer with what it speaks, in version 0", async () => {
    const socket = await open();
    socket.write(request(18, 9, (writer) => writer.unsignedVarint(0)));
    const bytes = await answer(socket);
    expect([bytes.readInt32BE(0), bytes.readInt16BE(4)]).toEqual([42, 35]);
    expect([bytes.readInt16BE(10), bytes.readInt16BE(12), bytes.readInt16BE(14)]).toEqual([
      18, 0, 3,
    ]);
  });

  test("answers ApiVersions 3, whose request header has tagged fields, as librdkafka asks", async () => {
    const socket = await open();
    const body = (writer: ByteWriter): void => {
      writer.unsignedVarint(1).unsignedVarint(9).unsignedVarint(2).int16(0);
      writer.unsignedVarint(1).unsignedVarint(1).unsignedVarint(0);
    };
    socket.write(request(18, 3, body));
    const bytes = await answer(socket);
    expect(bytes.readInt16BE(4)).toBe(0);
    // a compact array of 23 APIs
    expect(bytes.readUInt8(6)).toBe(24);
    expect(bytes.length).toBe(7 + 23 * 7 + 5);
  });

  test("keeps the order of answers when requests come in one piece", async () => {
    const socket = await open();
    const two = [1, 2].map((correlationId) => {
      const bytes = apiVersions();
      bytes.writeInt32BE(correlationId, 8);
      return bytes;
    });
    const received: number[] = [];
    const splitter = new FrameSplitter(1_000_000);
    const both = new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        received.push(...splitter.push(chunk).map((frame) => frame.readInt32BE(0)));
        if (received.length === 2) resolve();
      });
    });
    socket.write(Buffer.concat(two));
    await both;
    expect(received).toEqual([1, 2]);
  });

  const length = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  test.each([
    { name: "a request above the limit", bytes: length(100_001) },
    { name: "a negative length", bytes: length(-1) },
    { name: "an empty request", bytes: length(0) },
    { name: "a text protocol", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n") },
    { name: "an API that is not there", bytes: request(99, 0, () => {}) },
    { name: "a version that is not there", bytes: request(1, 3, () => {}) },
    { name: "Produce of the old record formats", bytes: request(0, 2, () => {}) },
    { name: "a request that ends too early", bytes: request(3, 1, () => {}) },
    {
      name: "an array longer than its request",
      bytes: request(3, 1, (writer) => writer.int32(0x7fffffff)),
    },
    { name: "a null where a string must be", bytes: request(10, 0, (w) => w.string(null)) },
    {
      name: "records without acks for a topic that is not there",
      bytes: request(0, 3, (writer) =>
        writer.string(null).int16(0).int32(1).int32(1).string("no").int32(1).int32(0).int32(0),
      ),
    },
  ])("is closed for $name, and the broker lives on", async ({ bytes }) => {
    const socket = await open();
    socket.write(bytes);
    socket.resume();
    await once(socket, "close");
    const other = await open();
    other.write(apiVersions());
    expect((await answer(other)).readInt32BE(0)).toBe(42);
  });

  test("survives any bytes after a right header, for every API", async () => {
    const keys = [
      0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 32, 36, 37, 42,
    ];
    const property = fc.asyncProperty(
      fc.constantFrom(...keys),
      fc.integer({ min: 0, max: 11 }),
      fc.uint8Array({ maxLength: 100 }),
      async (key, version, junk) => {
        const socket = await open();
        const frame = Buffer.concat([request(key, version, () => {}), junk]);
        frame.writeInt32BE(frame.length - 4);
        socket.end(frame);
        socket.resume();
        await once(socket, "close");
        expect(defects).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  test("that a client leaves in a long poll is let go", async () => {
    broker.createTopic("t", 1);
    const socket = await open();
    const fetch = request(1, 4, (writer) => {
      writer.int32(-1).int32(60_000).int32(1).int32(1000).int8(0);
      writer.int32(1).string("t").int32(1).int32(0).int64(0).int32(1000);
    });
    const arrived = new Promise<void>((resolve) => {
      broker.fault(() => {
        resolve();
        return undefined;
      });
    });
    socket.write(fetch);
    await arrived;
    expect(broker.counters().connections).toBe(1);
    socket.destroy();
    await expect.poll(() => broker.counters().connections).toBe(0);
  });
});

describe("FrameSplitter", () => {
  test("finds the same frames however the bytes are cut", () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1 });
    const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
    fc.assert(
      fc.property(frames, cuts, (bodies, sizes) => {
        const stream = Buffer.concat(
          bodies.flatMap((body) => {
            const prefix = Buffer.alloc(4);
            prefix.writeInt32BE(body.length);
            return [prefix, body];
          }),
        );
        const splitter = new FrameSplitter(50);
        const found: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1;
          found.push(...splitter.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(found.map((frame) => [...frame])).toEqual(bodies.map((body) => [...body]));
      }),
    );
  });

  test("refuses a length above its limit before it holds memory for it", () => {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(51);
    expect(() => new FrameSplitter(50).push(prefix)).toThrow(MalformedRequest);
  });
});

describe("startSandboxKafka()", () => {
  test("is ready within 50 ms", async () => {
    const start = performance.now();
    const another = await startSandboxKafka();
    const took = performance.now() - start;
    await another.close();
    expect(took).toBeLessThan(50);
  });

  test("a port that is taken is one clear error", async () => {
    await expect(startSandboxKafka({ port: broker.port })).rejects.toThrow(
      `Cannot start the sandbox Kafka broker on "127.0.0.1:${broker.port}": listen EADDRINUSE`,
    );
  });

  test("createTopic() says what it cannot do", () => {
    broker.createTopic("t");
    expect(() => broker.createTopic("t")).toThrow('Cannot create the Kafka topic "t"');
  });

  test("dropped records are told once in the log, and counted", async () => {
    const warnings: unknown[] = [];
    const small = await startSandboxKafka({
      maxBytes: 200_000,
      log: (level, message) => {
        if (level === "warn") warnings.push(message);
      },
    });
    small.createTopic("t", 1);
    const { batch } = await import("./batches.ts");
    const socket = connect(small.port, small.host);
    sockets.push(socket);
    await once(socket, "connect");
    for (let i = 0; i < 10; i += 1) {
      socket.write(
        request(0, 3, (writer) =>
          writer
            .string(null)
            .int16(1)
            .int32(1000)
            .int32(1)
            .string("t")
            .int32(1)
            .int32(0)
            .bytes(batch({ body: Buffer.alloc(50_000) })),
        ),
      );
      expect((await answer(socket)).readInt16BE(19)).toBe(0);
    }
    expect(small.endOffsets("t")).toEqual([10n]);
    expect(small.counters().storedBytes).toBeLessThanOrEqual(210_000);
    expect(small.counters().droppedSegments).toBeGreaterThan(5);
    expect(warnings).toEqual(["The sandbox Kafka broker is full: its oldest records are dropped"]);
    await small.close();
  });
});
