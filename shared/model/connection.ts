import type { SourceLocation } from "./route.ts";

/** Names a value without holding it: the secret is read when a connection opens (S-3). */
export type SecretRef =
  | { readonly from: "secret"; readonly name: string; readonly key: string }
  | {
      readonly from: "keyVault";
      readonly vault: string;
      readonly kind: "vaultSecret" | "vaultCert" | "vaultCaChainSecret";
      readonly name: string;
      readonly version?: string;
      readonly directoryId?: string;
      /** Secret with the service principal's credentials, where the manifest names one. */
      readonly servicePrincipalSecretName?: string;
    };

export interface ConfigMapRef {
  readonly name: string;
}

export interface TlsSettings {
  readonly enabled: boolean;
  /** A ConfigMap whose values are PEM certificates to trust besides, not instead of, nothing else. */
  readonly trustedCa?: ConfigMapRef;
}

export interface SaslCredential {
  readonly kind: "usernamePassword";
  readonly username: SecretRef | { readonly from: "literal"; readonly value: string };
  readonly password: SecretRef;
}

/** A Secret with either username and password, or only `token` (S-4). */
export interface SaslSecret {
  readonly kind: "secret";
  readonly name: string;
}

export interface X509Credential {
  /** A kubernetes.io/tls Secret (`tls.crt`, `tls.key`) or (`client_cert.pem`, `client_key.pem`, `client_intermediate_certs.pem`). */
  readonly secretName?: string;
  readonly certificate?: SecretRef;
  readonly caChain?: SecretRef;
}

export interface ManagedIdentity {
  readonly clientId?: string;
  readonly tenantId?: string;
  /** `https://…/.default` */
  readonly scope: string;
}

export type SaslMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

export type KafkaAuthentication =
  | { readonly method: "Anonymous" }
  | {
      readonly method: "Sasl";
      readonly mechanism: SaslMechanism;
      readonly credential: SaslSecret | SaslCredential;
    }
  | { readonly method: "X509Certificate"; readonly credential: X509Credential }
  | { readonly method: "SystemAssignedManagedIdentity"; readonly identity: ManagedIdentity }
  | { readonly method: "UserAssignedManagedIdentity"; readonly identity: ManagedIdentity };

export interface KafkaConnection {
  readonly id: string;
  readonly location: SourceLocation;
  /** `host:port`, at least one. */
  readonly bootstrapServers: readonly string[];
  readonly tls: TlsSettings;
  readonly authentication: KafkaAuthentication;
  /** True for `*.servicebus.*` hosts (Event Hubs). */
  readonly isEventHubs: boolean;
  /** `Amqp`: speak to Event Hubs by AMQP instead of its Kafka endpoint (`isthmus.dev/protocol`). */
  readonly protocol: "Kafka" | "Amqp";
}

export type MqttAuthentication =
  | { readonly method: "Anonymous" }
  | { readonly method: "UsernamePassword"; readonly secretName: string }
  /** User name and password, each of its own key. */
  | {
      readonly method: "UserAndPassword";
      readonly username: SecretRef;
      readonly password: SecretRef;
    }
  | { readonly method: "X509Certificate"; readonly credential: X509Credential }
  /** Kubernetes service account token, enhanced authentication K8S-SAT. */
  | { readonly method: "ServiceAccountToken"; readonly audience: string }
  | { readonly method: "SystemAssignedManagedIdentity"; readonly identity: ManagedIdentity }
  | { readonly method: "UserAssignedManagedIdentity"; readonly identity: ManagedIdentity };

export interface MqttConnection {
  readonly id: string;
  readonly location: SourceLocation;
  readonly host: string;
  readonly port: number;
  readonly protocol: "Mqtt" | "WebSockets";
  readonly tls: TlsSettings;
  readonly authentication: MqttAuthentication;
  /** Seconds. */
  readonly keepAlive: number;
  /** Seconds. */
  readonly sessionExpiryInterval: number;
  /** Publish window as a destination, our Receive Maximum as a source; 1 to 65,535. */
  readonly maxInflightMessages: number;
}
