import type { AddressInfo, Server, Socket } from "node:net";
import rhea, {
  type AmqpError,
  type Connection,
  type Container,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
} from "rhea";
import type { Identity } from "../certificates.ts";
import { allows, type Claim, type Grant, judge, type Policy } from "./claims.ts";
import { decode, delivered, Hub, messagesOf } from "./hub.ts";

export interface EventHubsServerOptions {
  /** Event hubs by name, with their number of partitions. */
  readonly hubs: Readonly<Record<string, number>>;
  /** AMQP over TLS with this certificate instead of plain TCP. */
  readonly tls?: Identity;
  /** Of the largest publication, batch or single event. */
  readonly maxMessageBytes?: number;
}

/** Answers to the next sends or attachments, in this order; afterwards all is well again. */
export interface Fault {
  readonly at: "send" | "attach" | "token";
  readonly error: AmqpError;
  readonly times?: number;
}

export const POLICY: Policy = {
  name: "all",
  key: "not-so-secret-key-of-the-test-set",
  claims: ["Send", "Listen"],
};

const LARGEST = 1024 * 1024;

/** A receiver that the server serves: one partition for one consumer group. */
interface Reader {
  readonly link: Sender;
  readonly epoch: number;
  readonly owner: string;
  stop(): void;
}

/**
 * An Event Hubs namespace of its own: AMQP 1.0 with Claims-Based Security, $management and partitions, as the SDK of Azure asks for it.
 * Receivers with an epoch take the place of each other, as in the service.
 */
export class EventHubsServer {
  readonly hubs: Map<string, Hub>;
  readonly policies: Policy[] = [POLICY];
  readonly tokens: Map<string, readonly Claim[]> = new Map();
  /** Tokens that were put, with their audience and type. */
  readonly putTokens: {
    readonly audience: string;
    readonly type: string;
    readonly token: string;
  }[] = [];
  /** Credit that receivers have at most had open at a time. */
  mostCredit = 0;
  private readonly container: Container;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly connections = new Map<Connection, ConnectionState>();
  private readonly readers = new Map<string, Reader>();
  private readonly options: EventHubsServerOptions;
  private faults: { fault: Fault; left: number }[] = [];

  private constructor(options: EventHubsServerOptions) {
    this.options = options;
    this.hubs = new Map(
      Object.entries(options.hubs).map(([name, partitions]) => [name, new Hub(name, partitions)]),
    );
    this.container = rhea.create_container();
    const { tls } = options;
    this.server = this.container.listen({
      port: 0,
      host: "127.0.0.1",
      // errors of a client's socket are no matter of the test
      ...(tls === undefined
        ? {}
        : { transport: "tls", cert: tls.certificate, key: tls.key, require_sasl: true }),
    } as Parameters<Container["listen"]>[0]);
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => this.sockets.delete(socket));
    });
    this.listen();
  }

  static async start(options: EventHubsServerOptions): Promise<EventHubsServer> {
    const server = new EventHubsServer(options);
    if (!server.server.listening) {
      await new Promise<void>((resolve) => server.server.once("listening", resolve));
    }
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connected(): number {
    return this.sockets.size;
  }

  addHub(name: string, partitions: number): void {
    this.hubs.set(name, new Hub(name, partitions));
  }

  hub(name: string): Hub {
    const hub = this.hubs.get(name);
    if (hub === undefined) throw new Error(`The namespace has no hub ${name}`);
    return hub;
  }

  /** A connection string as the portal writes it, for plain TCP where this server speaks it. */
  connectionString(
    over: { readonly policy?: Policy; readonly key?: string; readonly entityPath?: string } = {},
  ): string {
    const { policy = POLICY, key = policy.key, entityPath = "" } = over;
    return [
      `Endpoint=sb://127.0.0.1:${this.port}/`,
      `SharedAccessKeyName=${policy.name}`,
      `SharedAccessKey=${key}`,
      ...(entityPath === "" ? [] : [`EntityPath=${entityPath}`]),
      ...(this.options.tls === undefined ? ["UseDevelopmentEmulator=true"] : []),
    ].join(";");
  }

  plan(fault: Fault): void {
    this.faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Who reads a partition now, by the name that it gave itself. */
  ownerOf(hub: string, partitionId: string, group = "$Default"): string | undefined {
    return this.readers.get(readerKey(hub, group, partitionId))?.owner;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private listen(): void {
    const { container } = this;
    container.on("connection_open", ({ connection }: EventContext) => {
      this.connections.set(connection, new ConnectionState());
    });
    container.on("disconnected", ({ connection }: EventContext) => this.gone(connection));
    container.on("connection_close", ({ connection }: EventContext) => this.gone(connection));
    container.on("receiver_open", (context: EventContext) => this.clientSends(context));
    container.on("sender_open", (context: EventContext) => this.clientReads(context));
    container.on("message", (context: EventContext) => this.received(context));
    container.on("error", () => undefined);
  }

  private gone(connection: Connection): void {
    for (const [key, reader] of this.readers) {
      if (reader.link.connection === connection) this.forget(key, reader);
    }
    this.connections.delete(connection);
  }

  private state(context: EventContext): ConnectionState {
    const state = this.connections.get(context.connection);
    if (state === undefined) throw new Error("The connection is not open");
    return state;
  }

  private faultAt(at: Fault["at"]): AmqpError | undefined {
    const found = this.faults.find(({ fault }) => fault.at === at);
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left === 0) this.faults = this.faults.filter((other) => other !== found);
    return found.fault.error;
  }

  private clientSends(context: EventContext): void {
    const receiver = context.receiver as Receiver;
    const address = receiver.target.address ?? "";
    if (address.startsWith("$")) return;
    const limit = this.options.maxMessageBytes ?? LARGEST;
    Object.assign(attachOf(receiver), { max_message_size: limit });
    receiver.set_credit_window(1000);
    const error = this.refusalOf(context, address, "Send");
    if (error !== undefined) receiver.close(error);
  }

  private clientReads(context: EventContext): void {
    const sender = context.sender as Sender;
    const address = sender.source.address ?? "";
    if (address.startsWith("$")) {
      this.state(context).replies.set(sender.name, sender);
      return;
    }
    const error = this.refusalOf(context, address, "Listen");
    if (error === undefined) this.read(sender, address);
    else sender.close(error);
  }

  private refusalOf(context: EventContext, address: string, claim: Claim): AmqpError | undefined {
    const planned = this.faultAt("attach");
    if (planned !== undefined) return planned;
    const hub = address.split("/")[0] ?? "";
    if (!this.hubs.has(hub)) return notFound(hub);
    if (allows(this.state(context).grants, address, claim)) return undefined;
    return {
      condition: "amqp:unauthorized-access",
      description: `Unauthorized access. '${claim}' claim(s) are required to perform this operation.`,
    };
  }

  private received(context: EventContext): void {
    const receiver = context.receiver as Receiver;
    const { message: given } = context;
    // batches come in a format of their own, which rhea leaves as it is
    const message = Buffer.isBuffer(given) ? decode(given) : (given as Message);
    const address = receiver.target.address ?? "";
    if (address === "$cbs") this.putToken(context, message);
    else if (address === "$management") this.manage(context, message);
    else this.take(context, message, address);
  }

  private putToken(context: EventContext, message: Message): void {
    const { name: audience, type } = message.application_properties as Record<string, string>;
    const token = String(message.body);
    const state = this.state(context);
    this.putTokens.push({ audience: audience ?? "", type: type ?? "", token });
    const planned = this.faultAt("token");
    const verdict =
      planned === undefined
        ? judge(type ?? "", token, audience ?? "", this)
        : { status: 401, description: planned.description ?? "" };
    if ("status" in verdict) {
      state.reply(message, verdict.status, verdict.description);
      return;
    }
    state.grants.push(verdict);
    state.reply(message, 202, "Accepted");
  }

  private manage(context: EventContext, message: Message): void {
    const { name = "", partition } = message.application_properties as Record<string, string>;
    const state = this.state(context);
    const hub = this.hubs.get(name);
    if (hub === undefined) {
      state.reply(message, 404, notFound(name).description ?? "");
      return;
    }
    const created = rhea.types.wrap_timestamp(0);
    if (partition === undefined) {
      const ids = rhea.types.wrap_array([...hub.partitionIds], 0xa1, undefined);
      const body = {
        name,
        type: "eventhub",
        created_at: created,
        partition_count: hub.partitionIds.length,
      };
      state.reply(message, 200, "OK", { ...body, partition_ids: ids });
      return;
    }
    const last = hub.log(partition).at(-1);
    state.reply(message, 200, "OK", {
      name,
      partition,
      begin_sequence_number: rhea.types.wrap_long(0),
      last_enqueued_sequence_number: rhea.types.wrap_long(last?.sequenceNumber ?? -1),
      last_enqueued_offset: last?.offset ?? "-1",
      last_enqueued_time_utc: rhea.types.wrap_timestamp(last?.enqueuedAt ?? 0),
      is_partition_empty: last === undefined,
    });
  }

  private take({ delivery }: EventContext, message: Message, address: string): void {
    const planned = this.faultAt("send");
    if (planned !== undefined) {
      delivery?.reject(planned);
      return;
    }
    const [hub = "", , partitionId] = address.split("/");
    const key: unknown = message.message_annotations?.["x-opt-partition-key"];
    const found = this.hub(hub);
    found.append(found.pick(partitionId, key), messagesOf(message));
    delivery?.accept();
  }

  private read(link: Sender, address: string): void {
    const [hubName = "", , group = "", , partitionId = ""] = address.split("/");
    const hub = this.hub(hubName);
    const key = readerKey(hubName, group, partitionId);
    const { properties = {}, source } = link;
    const epoch = Number(properties["com.microsoft:epoch"] ?? -1);
    const before = this.readers.get(key);
    if (before !== undefined) this.steal(key, before);
    let next = hub.startOf(partitionId, filterOf(source.filter));
    const pump = (): void => {
      this.mostCredit = Math.max(this.mostCredit, creditOf(link));
      for (;;) {
        const event = hub.log(partitionId)[next];
        if (event === undefined || !link.sendable()) return;
        next += 1;
        link.send(delivered(event));
      }
    };
    const owner = String(properties["com.microsoft:receiver-name"] ?? "");
    const reader = { link, epoch, owner, stop: hub.watch(pump) };
    this.readers.set(key, reader);
    link.on("sendable", pump);
    link.on("sender_flow", pump);
    link.once("sender_close", () => this.forget(key, reader));
  }

  private steal(key: string, reader: Reader): void {
    this.forget(key, reader);
    reader.link.close({
      condition: "amqp:link:stolen",
      description: `New receiver with higher epoch of '${reader.epoch}' is created hence current receiver is getting disconnected.`,
    });
  }

  private forget(key: string, reader: Reader): void {
    reader.stop();
    if (this.readers.get(key) === reader) this.readers.delete(key);
  }
}

class ConnectionState {
  readonly grants: Grant[] = [];
  readonly replies = new Map<string, Sender>();

  reply(to: Message, status: number, description: string, body: unknown = ""): void {
    this.replies.get(to.reply_to ?? "")?.send({
      correlation_id: to.message_id as string,
      application_properties: { "status-code": status, "status-description": description },
      body,
    });
  }
}

function readerKey(hub: string, group: string, partitionId: string): string {
  return `${hub}/${group.toLowerCase()}/${partitionId}`;
}

function notFound(hub: string): AmqpError {
  return {
    condition: "amqp:not-found",
    description: `The messaging entity 'sb://127.0.0.1/${hub}' could not be found. status-code: 404`,
  };
}

/** The attach frame that is about to be sent: rhea's types do not show it. */
function attachOf(link: unknown): object {
  return (link as { local: { attach: object } }).local.attach;
}

function creditOf(link: unknown): number {
  return (link as { credit: number }).credit;
}

function filterOf(filter: unknown): string {
  const selector = (filter as Record<string, unknown>)["apache.org:selector-filter:string"];
  return String((selector as { value?: unknown }).value ?? selector);
}
