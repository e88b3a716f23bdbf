/** The app settings behind a connection: their names, what they hold and, where it is no secret, their value. */
import { environmentName, environmentPart } from "../manifests/environment-name.ts";
import type {
  KafkaAuthentication,
  KafkaConnection,
  MqttConnection,
  SaslCredential,
  SaslSecret,
  SecretRef,
  TlsSettings,
  X509Credential,
} from "../model/connection.ts";
import type { AppSetting } from "./function-plan.ts";

/** The host name of the first bootstrap server. */
export function kafkaHost(connection: KafkaConnection): string {
  return (connection.bootstrapServers[0] ?? "").replace(/:\d+$/, "");
}

/** The name of an Event Hubs namespace without its domain. */
export function eventHubsNamespace(connection: KafkaConnection): string {
  return kafkaHost(connection).split(".")[0] ?? "";
}

/** The name that an Event Hubs trigger finds its connection by. */
export function eventHubsConnectionName(connection: KafkaConnection): string {
  return `ISTHMUS_EVENTHUBS_${environmentPart(connection.id)}`;
}

/** Where the file with a Kubernetes service account token is. */
export const SERVICE_ACCOUNT_TOKEN_FILE = "ISTHMUS_SERVICE_ACCOUNT_TOKEN_FILE";

type SettingOf<Ref> = (ref: Ref, what: string) => AppSetting;

function secretKey(name: string, key: string, what: string): AppSetting {
  return {
    name: `${environmentName("Secret", name)}_${environmentPart(key)}`,
    description: `${what} (key "${key}" of Secret "${name}")`,
    secret: true,
    required: true,
  };
}

/** The app setting that holds one secret value. */
export const secretSetting: SettingOf<SecretRef> = (ref, what) => {
  if (ref.from === "secret") return secretKey(ref.name, ref.key, what);
  const version = ref.version === undefined ? "" : `;SecretVersion=${ref.version}`;
  return {
    name: `ISTHMUS_KEYVAULT_${environmentPart(ref.vault)}_${environmentPart(ref.name)}`,
    description: `${what} (reference to "${ref.name}" in Key Vault "${ref.vault}")`,
    secret: false,
    required: true,
    value: `@Microsoft.KeyVault(VaultName=${ref.vault};SecretName=${ref.name}${version})`,
  };
};

export interface SaslSettings {
  /** Absent when the user name is no setting. */
  readonly usernameSetting?: AppSetting;
  readonly usernameLiteral?: string;
  readonly password: AppSetting;
}

/** User name and password of a SASL credential. */
export function saslSettings(credential: SaslSecret | SaslCredential): SaslSettings {
  if (credential.kind === "secret") {
    return {
      usernameSetting: secretKey(credential.name, "username", "SASL user name"),
      password: secretKey(credential.name, "password", "SASL password"),
    };
  }
  const password = secretSetting(credential.password, "SASL password");
  const { username } = credential;
  if (username.from === "literal") return { usernameLiteral: username.value, password };
  return { usernameSetting: secretSetting(username, "SASL user name"), password };
}

/** The setting with the connection string of an Event Hubs namespace (S-4: a Secret with only `token`). */
export function connectionStringSetting(credential: SaslSecret | SaslCredential): AppSetting {
  const what = "Event Hubs connection string, without EntityPath";
  return credential.kind === "secret"
    ? secretKey(credential.name, "token", what)
    : secretSetting(credential.password, what);
}

export interface X509Settings {
  readonly certificate?: AppSetting;
  readonly key?: AppSetting;
  /** Certificate and key in one. */
  readonly both?: AppSetting;
  /** The certificates between it and the root; a Kafka trigger takes none. */
  readonly chain?: AppSetting;
}

/** The client certificate, as PEM. */
export function x509Settings(credential: X509Credential): X509Settings {
  const { secretName, certificate, caChain } = credential;
  if (secretName !== undefined) {
    return {
      certificate: secretKey(secretName, "tls.crt", "Client certificate, PEM"),
      key: secretKey(secretName, "tls.key", "Key of the client certificate, PEM, PKCS #8"),
    };
  }
  const main = certificate ?? caChain;
  if (main === undefined) return {};
  const both = secretSetting(main, "Client certificate with its key, PEM");
  if (certificate === undefined || caChain === undefined) return { both };
  return { both, chain: secretSetting(caChain, "Certificates up to the root, PEM") };
}

/** The certificates to trust, as PEM. */
export function trustedCaSetting(tls: TlsSettings): AppSetting | undefined {
  if (!tls.enabled || tls.trustedCa === undefined) return undefined;
  const { name } = tls.trustedCa;
  return {
    name: `${environmentName("ConfigMap", name)}_CA_CRT`,
    description: `Certificate authority to trust, PEM (ConfigMap "${name}"); one certificate for a Kafka trigger`,
    secret: false,
    required: true,
  };
}

const defined = (settings: readonly (AppSetting | undefined)[]): AppSetting[] =>
  settings.filter((setting) => setting !== undefined);

/** The settings of a trigger that reads an event hub: by identity, or with a connection string. */
export function eventHubsTriggerSettings(connection: KafkaConnection): AppSetting[] {
  const { authentication } = connection;
  if (authentication.method === "Sasl") return [connectionStringSetting(authentication.credential)];
  const name = eventHubsConnectionName(connection);
  const clientId = identityClientId(authentication);
  const setting = (suffix: string, description: string, value: string): AppSetting => ({
    name: `${name}__${suffix}`,
    description,
    secret: false,
    required: true,
    value,
  });
  return [
    setting("fullyQualifiedNamespace", "Event Hubs namespace to read from", kafkaHost(connection)),
    setting("credential", "Sign in with the app's own identity", "managedidentity"),
    ...(clientId === undefined
      ? []
      : [setting("clientId", "Which user-assigned identity", clientId)]),
  ];
}

function identityClientId(authentication: KafkaAuthentication): string | undefined {
  return "identity" in authentication ? authentication.identity.clientId : undefined;
}

/** The settings that the app itself needs to open a Kafka connection. */
export function kafkaSettings(connection: KafkaConnection): AppSetting[] {
  const { authentication, tls } = connection;
  const ca = trustedCaSetting(tls);
  if (authentication.method === "Sasl") {
    const { credential } = authentication;
    if (connection.isEventHubs) return defined([connectionStringSetting(credential), ca]);
    const sasl = saslSettings(credential);
    return defined([sasl.usernameSetting, sasl.password, ca]);
  }
  if (authentication.method === "X509Certificate") {
    const x509 = x509Settings(authentication.credential);
    return defined([x509.certificate, x509.key, x509.both, x509.chain, ca]);
  }
  return defined([ca]);
}

/** The settings that the app itself needs to open an MQTT connection. */
export function mqttSettings(connection: MqttConnection): AppSetting[] {
  const { authentication, tls } = connection;
  const ca = trustedCaSetting(tls);
  switch (authentication.method) {
    case "UsernamePassword":
      return defined([
        secretKey(authentication.secretName, "username", "MQTT user name"),
        secretKey(authentication.secretName, "password", "MQTT password"),
        ca,
      ]);
    case "X509Certificate": {
      const x509 = x509Settings(authentication.credential);
      return defined([x509.certificate, x509.key, x509.both, x509.chain, ca]);
    }
    case "ServiceAccountToken":
      return defined([
        {
          name: SERVICE_ACCOUNT_TOKEN_FILE,
          description: `File with a Kubernetes service account token for audience "${authentication.audience}"`,
          secret: false,
          required: true,
        },
        ca,
      ]);
    default:
      return defined([ca]);
  }
}
