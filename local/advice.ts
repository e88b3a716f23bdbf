import type { ErrorCode } from "../shared/errors.ts";

/** What to do about an error, in one sentence; undefined where the message itself says it. docs/operations.md tells more. */
export const ADVICE: Readonly<Record<ErrorCode, string | undefined>> = {
  MANIFEST_INVALID: "isthmus validate -f PATH shows every problem of the manifests",
  MANIFEST_UNREADABLE: "check the path and who may read it",
  SECRET_MISSING:
    "give it as a Secret manifest, as a file under --secrets FOLDER, or in the environment",
  SECRET_INVALID: "check the keys and the form of the Secret that the manifest names",
  KAFKA_UNAVAILABLE: "check the host and port, and that this machine may reach them",
  KAFKA_AUTHENTICATION_FAILED:
    "check the user name, password or identity, and the SASL mechanism of the endpoint",
  KAFKA_NOT_AUTHORIZED: "grant the identity the right to this topic and consumer group",
  KAFKA_MESSAGE_TOO_LARGE: "raise max.message.bytes of the topic, or send smaller messages",
  KAFKA_TOPIC_MISSING: "create the topic, or correct its name in the manifest",
  KAFKA_REFUSED: "see the broker's own log for why it refused",
  EVENT_HUBS_UNAVAILABLE: "check the namespace's host name and the network rules on it",
  EVENT_HUBS_REFUSED: "check the connection string or the identity's Event Hubs role",
  MQTT_UNAVAILABLE: "check the host and port, and that this machine may reach them",
  MQTT_AUTHENTICATION_FAILED: "check the credentials of the MQTT endpoint",
  MQTT_NOT_AUTHORIZED: "grant the client the right to these topics on the MQTT broker",
  MQTT_PACKET_TOO_LARGE: "raise the broker's Maximum Packet Size, or send smaller messages",
  MQTT_REFUSED: "see the MQTT broker's own log for why it refused",
  MQTT_BUSY: "the broker asked to come back later: check its load",
  DEAD_LETTER_FAILED: "create the dead-letter topic and grant the right to write to it",
  IDENTITY_UNAVAILABLE:
    "give this machine an identity (managed identity, az login), or use another authentication",
  STATE_UNAVAILABLE: "check the folder that --state names, and who may write to it",
  KEY_VAULT_UNAVAILABLE: "check the vault's name, and that this machine may reach it",
  KEY_VAULT_REFUSED: "grant the identity the role Key Vault Secrets User on the vault",
  USAGE: undefined,
  STOPPED: undefined,
};
