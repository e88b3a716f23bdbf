import { connect, createServer, type Server, type Socket } from "node:net";

/** Sees the bytes of one connection as they are handed on: `up` to the broker, `down` from it. */
export interface ConnectionObserver {
  up?(bytes: Buffer): void;
  down?(bytes: Buffer): void;
  /** One of its ends is gone. */
  closed?(): void;
}

/** What the network does at the moment, for all connections of a proxy. */
interface Weather {
  paused: boolean;
  /** Of each direction. */
  latencyMs: number;
  /** Of each connection and direction; undefined is no limit. */
  bytesPerSecond: number | undefined;
}

interface Held {
  bytes: Buffer;
  readonly due: number;
}

/** So much waits in the proxy before the sender is made to wait, as the buffers of a network do. */
const HOLD_BYTES = 4 * 1024 * 1024;
/** A limited connection is fed in portions of this length. */
const PORTION_MS = 20;

/** One direction of one connection. */
class Pump {
  /** Nothing comes through any more, and nobody is told: a half-open connection. */
  dead = false;
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly weather: Weather;
  private readonly seen: ((bytes: Buffer) => void) | undefined;
  private queue: Held[] = [];
  private held = 0;
  private ended = false;
  private clogged = false;
  private timer: NodeJS.Timeout | undefined;
  private portionEnds = 0;
  private portion = 0;

  constructor(from: Socket, to: Socket, weather: Weather, seen?: (bytes: Buffer) => void) {
    this.from = from;
    this.to = to;
    this.weather = weather;
    this.seen = seen;
    from.on("data", (bytes: Buffer) => this.take(bytes));
    from.on("end", () => {
      this.ended = true;
      this.move();
    });
    to.on("drain", () => {
      this.clogged = false;
      this.move();
    });
  }

  private take(bytes: Buffer): void {
    if (this.dead) return;
    this.queue.push({ bytes, due: performance.now() + this.weather.latencyMs });
    this.held += bytes.length;
    if (this.held > HOLD_BYTES) this.from.pause();
    this.move();
  }

  /** Hands on what is due. */
  move(): void {
    clearTimeout(this.timer);
    while (!this.dead && !this.clogged && !this.weather.paused) {
      const first = this.queue[0];
      if (first === undefined) break;
      const wait = Math.max(first.due - performance.now(), this.portionWait());
      if (wait > 0) {
        this.timer = setTimeout(() => this.move(), Math.ceil(wait));
        return;
      }
      this.hand(first);
    }
    if (this.ended && this.queue.length === 0 && !this.dead) this.to.end();
  }

  /** Milliseconds until the next portion, when the present one is used up. */
  private portionWait(): number {
    const { bytesPerSecond } = this.weather;
    if (bytesPerSecond === undefined) return 0;
    const now = performance.now();
    if (now >= this.portionEnds) {
      this.portion = Math.max(1, (bytesPerSecond * PORTION_MS) / 1000);
      this.portionEnds = now + PORTION_MS;
    }
    return this.portion >= 1 ? 0 : this.portionEnds - now;
  }

  private hand(first: Held): void {
    const limited = this.weather.bytesPerSecond !== undefined;
    const size = limited ? Math.min(first.bytes.length, this.portion) : first.bytes.length;
    const bytes = first.bytes.subarray(0, size);
    this.portion -= bytes.length;
    if (bytes.length === first.bytes.length) this.queue.shift();
    else first.bytes = first.bytes.subarray(bytes.length);
    this.held -= bytes.length;
    if (this.held <= HOLD_BYTES / 2) this.from.resume();
    this.seen?.(bytes);
    this.clogged = !this.to.write(bytes);
  }

  die(): void {
    this.dead = true;
    this.queue = [];
    this.held = 0;
    clearTimeout(this.timer);
    // read on, so that the sender believes that all is well
    this.from.resume();
  }
}

/** Both directions of one connection. */
class Link {
  private readonly sockets: readonly [Socket, Socket];
  private readonly pumps: readonly Pump[];

  constructor(client: Socket, broker: Socket, weather: Weather, observer: ConnectionObserver) {
    this.sockets = [client, broker];
    this.pumps = [
      new Pump(client, broker, weather, observer.up?.bind(observer)),
      new Pump(broker, client, weather, observer.down?.bind(observer)),
    ];
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on("error", () => {
        if (!this.dead) other.resetAndDestroy();
      });
    }
  }

  get dead(): boolean {
    return this.pumps.some((pump) => pump.dead);
  }

  move(): void {
    for (const pump of this.pumps) pump.move();
  }

  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  die(): void {
    for (const pump of this.pumps) pump.die();
  }
}

/**
 * A TCP proxy on loopback before one broker, which does to connections what networks do. Whole connections and bytes in their order:
 * it never changes, doubles or drops part of a stream.
 */
export class FaultProxy {
  readonly port: number;
  /** Asked for every connection; what it returns sees that connection. */
  observe: () => ConnectionObserver = () => ({});
  private readonly target: number;
  private readonly weather: Weather = {
    paused: false,
    latencyMs: 0,
    bytesPerSecond: undefined,
  };
  private readonly links = new Set<Link>();
  private server: Server | undefined;
  private black = false;

  constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
  }

  /** How many connections there are; dead ones count until one of their ends has closed them. */
  get connections(): number {
    return this.links.size;
  }

  /** Listens; connections are refused before, and after {@link refuse}. */
  async accept(): Promise<void> {
    if (this.server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.join(client));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
  }

  /** Refuses new connections and resets those that are there. */
  async refuse(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.reset();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** Resets every connection; new ones pass. */
  reset(): void {
    for (const link of this.links) link.reset();
  }

  /** From now on nothing comes through and no end is told so, on these connections for ever and on new ones until {@link heal}. */
  blackhole(): void {
    this.black = true;
    for (const link of this.links) link.die();
  }

  /** Holds everything back; nothing is lost. */
  pause(): void {
    this.weather.paused = true;
  }

  /** Delays every byte so long, in each direction. */
  delay(latencyMs: number): void {
    this.weather.latencyMs = latencyMs;
  }

  /** Lets so many bytes through in a second, for each connection and direction. */
  throttle(bytesPerSecond: number): void {
    this.weather.bytesPerSecond = bytesPerSecond;
  }

  /** Ends all faults; what is dead stays dead. */
  heal(): void {
    this.black = false;
    Object.assign(this.weather, { paused: false, latencyMs: 0, bytesPerSecond: undefined });
    for (const link of this.links) link.move();
  }

  private join(client: Socket): void {
    const broker = connect({ port: this.target, host: "127.0.0.1", allowHalfOpen: true });
    const observer = this.observe();
    const link = new Link(client, broker, this.weather, observer);
    this.links.add(link);
    for (const socket of [client, broker]) {
      socket.on("close", () => {
        this.links.delete(link);
        observer.closed?.();
      });
    }
    if (this.black) link.die();
  }
}
