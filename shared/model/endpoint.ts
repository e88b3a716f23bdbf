/** Connections with their secrets read: what adapters open. Never logged, never serialised. */

/** An access token and when it ends, in milliseconds since the Unix epoch. */
export interface AccessToken {
  readonly value: string;
  readonly expiresAt: number;
}

/** PEM texts. Host names are always verified. */
export interface TlsMaterial {
  /** Trusted instead of the system's certificates when given. */
  readonly ca?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
}

export type KafkaSasl =
  | {
      readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
      readonly username: string;
      readonly password: string;
    }
  /** Event Hubs takes tokens of another audience by AMQP than by Kafka, unless the manifest names one. Default: Kafka's. */
  | { readonly mechanism: "oauthbearer"; token(protocol?: "Kafka" | "Amqp"): Promise<AccessToken> };

export interface KafkaEndpoint {
  readonly bootstrapServers: readonly string[];
  readonly tls?: TlsMaterial;
  readonly sasl?: KafkaSasl;
  readonly isEventHubs: boolean;
  /** The same with its secrets read anew, for they change: asked before every connection. Never rejects. Absent where none can change. */
  reread?(): Promise<KafkaEndpoint>;
}

export type MqttCredential =
  | { readonly kind: "none" }
  | { readonly kind: "usernamePassword"; readonly username: string; readonly password: string }
  /** MQTT 5 enhanced authentication: `method` goes into CONNECT, `data` is asked again at every (re)authentication. */
  | {
      readonly kind: "enhanced";
      readonly method: string;
      data(): Promise<{ readonly data: Uint8Array; readonly expiresAt?: number }>;
      /** How often, in milliseconds, to look whether the data have changed before they end. Absent where they do not. */
      readonly checkEveryMs?: number;
    };

export interface MqttEndpoint {
  readonly host: string;
  readonly port: number;
  readonly protocol: "Mqtt" | "WebSockets";
  readonly tls?: TlsMaterial;
  readonly credential: MqttCredential;
  /** Seconds. */
  readonly keepAlive: number;
  /** Seconds. */
  readonly sessionExpiryInterval: number;
  /** 1 to 65,535. */
  readonly maxInflightMessages: number;
  /** As of {@link KafkaEndpoint}. */
  reread?(): Promise<MqttEndpoint>;
}
