import type { AedesOptions, AuthenticateError, Client } from "aedes";

/** What a client asked for. */
export interface MqttFaultRequest {
  readonly packet: "CONNECT" | "PUBLISH" | "SUBSCRIBE";
  readonly clientIdentifier: string;
  /** Of PUBLISH. */
  readonly topicName?: string;
  /** Of SUBSCRIBE: the hook is asked once for each. */
  readonly topicFilter?: string;
  readonly qos?: number;
}

/** What is to go wrong. */
export type MqttFault =
  /** Answers Reason Code 0x87 (Not authorized). A PUBLISH at QoS 0 has no answer: it is dropped. */
  | { readonly refuse: true }
  /** Closes the connection without an answer. */
  | { readonly close: true }
  /** Waits before anything is done; what the client sends after it waits too. */
  | { readonly delayMs: number };

/** Asked for every packet of the three kinds that arrives; undefined lets it pass. */
export type MqttFaultHook = (request: MqttFaultRequest) => MqttFault | undefined;

type Hooks = Required<
  Pick<AedesOptions, "authenticate" | "authorizePublish" | "authorizeSubscribe">
>;

const NOT_AUTHORIZED = 5;

/** Who may log in, and which faults are on, as the hooks that aedes has for such things. */
export function brokerHooks(
  users: ReadonlyMap<string, string> | undefined,
  faultHook: () => MqttFaultHook | undefined,
): Hooks {
  const decide = (
    client: Client,
    request: Omit<MqttFaultRequest, "clientIdentifier">,
    answer: (refused: Error | null) => void,
  ): void => {
    const fault = faultHook()?.({ ...request, clientIdentifier: client.id });
    if (fault === undefined) answer(null);
    else if ("refuse" in fault) answer(new Error("Not authorized"));
    else if ("close" in fault) client.conn.destroy();
    else setTimeout(answer, fault.delayMs, null).unref();
  };
  return {
    authenticate: (client, username, password, done) => {
      const isUser =
        users === undefined ||
        (username !== undefined && users.get(username) === password?.toString("utf8"));
      decide(client, { packet: "CONNECT" }, (refused) => {
        if (isUser && refused === null) done(null, true);
        else done(connectRefusal(), false);
      });
    },
    authorizePublish: (client, { topic, qos }, done) => {
      // no client: the broker's own messages about itself
      if (client === null) done(null);
      else decide(client, { packet: "PUBLISH", topicName: topic, qos }, done);
    },
    authorizeSubscribe: (client, subscription, done) => {
      const { topic, qos } = subscription;
      decide(client, { packet: "SUBSCRIBE", topicFilter: topic, qos }, (refused) => {
        // aedes answers a missing subscription with 0x87; an error would end the connection
        done(null, refused === null ? subscription : null);
      });
    },
  };
}

function connectRefusal(): AuthenticateError {
  return Object.assign(new Error("Not authorized"), { returnCode: NOT_AUTHORIZED });
}
