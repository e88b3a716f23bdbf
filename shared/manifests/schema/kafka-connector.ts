import * as z from "zod";
import { type Vault, type VaultObject, vault, vaultObject } from "./key-vault.ts";
import {
  anyText,
  choice,
  flag,
  ignored,
  integer,
  looseText,
  reference,
  type Schema,
  text,
  toggle,
} from "./leaf.ts";
import { type SaslType, saslType } from "./sasl-type.ts";

export interface ConnectorTls {
  readonly tlsEnabled?: boolean | undefined;
  readonly caConfigMap?: string | undefined;
  readonly trustedCaCertificateConfigMap?: string | undefined;
}

export interface ConnectorSasl {
  readonly saslType: SaslType;
  readonly secretName?: string | undefined;
  readonly token?:
    | {
        readonly secretName?: string | undefined;
        readonly keyVault?:
          | {
              readonly username?: string | undefined;
              readonly vault: Vault;
              readonly vaultSecret: VaultObject;
            }
          | undefined;
      }
    | undefined;
}

export interface ConnectorX509 {
  readonly secretName?: string | undefined;
  readonly keyVault?:
    | {
        readonly vault: Vault;
        readonly vaultCert?: VaultObject | undefined;
        readonly vaultCaChainSecret?: VaultObject | undefined;
      }
    | undefined;
}

export interface ConnectorAuthType {
  readonly sasl?: ConnectorSasl | undefined;
  readonly x509?: ConnectorX509 | undefined;
  readonly systemAssignedManagedIdentity?: { readonly audience?: string | undefined } | undefined;
}

export interface LocalBrokerConnection {
  readonly endpoint?: string | undefined;
  readonly tls?: ConnectorTls | undefined;
  readonly authentication?:
    | { readonly kubernetes?: object | undefined; readonly x509?: ConnectorX509 | undefined }
    | undefined;
}

export interface KafkaConnectorSpec {
  readonly instances?: number | undefined;
  readonly clientIdPrefix?: string | undefined;
  readonly kafkaConnection: {
    readonly endpoint: string;
    readonly tls?: ConnectorTls | undefined;
    readonly authentication?:
      | {
          readonly enabled?: boolean | undefined;
          readonly authType?: ConnectorAuthType | undefined;
        }
      | undefined;
  };
  readonly localBrokerConnection?: LocalBrokerConnection | undefined;
}

const tls = z.object({
  tlsEnabled: toggle.optional(),
  caConfigMap: reference.optional(),
  trustedCaCertificateConfigMap: reference.optional(),
});

const sasl = z.object({
  saslType,
  secretName: reference.optional(),
  token: z
    .object({
      secretName: reference.optional(),
      keyVault: z.object({ username: text.optional(), vault, vaultSecret: vaultObject }).optional(),
    })
    .optional(),
});

const x509 = z.object({
  secretName: reference.optional(),
  keyVault: z
    .object({
      vault,
      vaultCert: vaultObject.optional(),
      vaultCaChainSecret: vaultObject.optional(),
    })
    .optional(),
});

/** `spec` of a KafkaConnector. */
export const kafkaConnectorSpec: Schema<KafkaConnectorSpec> = z.object({
  image: z
    .object({
      pullPolicy: ignored,
      pullSecrets: ignored,
      repository: ignored,
      tag: looseText.optional(),
    })
    .optional(),
  instances: integer(1).optional(),
  clientIdPrefix: anyText.optional(),
  kafkaConnection: z.object({
    endpoint: text,
    tls: tls.optional(),
    authentication: z
      .object({
        enabled: flag.optional(),
        authType: z
          .object({
            sasl: sasl.optional(),
            x509: x509.optional(),
            systemAssignedManagedIdentity: z.object({ audience: text.optional() }).optional(),
          })
          .optional(),
      })
      .optional(),
  }),
  localBrokerConnection: z
    .object({
      endpoint: text.optional(),
      tls: tls.optional(),
      authentication: z
        .object({
          kubernetes: z
            .object({ secretPath: ignored, serviceAccountTokenName: ignored })
            .optional(),
          x509: x509.optional(),
        })
        .optional(),
    })
    .optional(),
  logLevel: choice(["trace", "debug", "info", "warn", "error", "fatal"]).optional(),
  nodeTolerations: ignored,
});
