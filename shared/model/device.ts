import type { SourceLocation } from "./route.ts";

/** What a Device's endpoint looks for (S-60). */
export interface AssetDiscovery {
  /** With `+` and no `#`. */
  readonly topicFilter: string;
  /** The level of a topic that names its asset, from 1. */
  readonly assetLevel: number;
}

/** An inbound endpoint of type Microsoft.Mqtt, where assets are found and forwarded from. */
export interface DeviceEndpoint {
  /** `<device>/<endpoint>`; shown to people and used in metrics. */
  readonly name: string;
  readonly device: string;
  readonly endpoint: string;
  readonly location: SourceLocation;
  /** Keys into the plan's MQTT connections: what is read, and where assets are forwarded to. */
  readonly source: string;
  readonly target: string;
  readonly discovery?: AssetDiscovery;
  /** Assets are forwarded to `<prefix>/<incoming topic>` where they say nothing else. */
  readonly topicMappingPrefix?: string;
  /** Bytes. */
  readonly maximumPacketSize?: number;
  readonly connectTimeoutMs?: number;
}

/** One topic, or several by a Topic Filter, of an asset and where its messages go. */
export interface AssetDataset {
  readonly name: string;
  readonly topicFilter: string;
  /** Undefined: by the endpoint's prefix. */
  readonly topic?: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Message Expiry Interval in seconds, set anew. */
  readonly ttl?: number;
}

/** An imported asset (S-61). */
export interface Asset {
  readonly name: string;
  readonly device: string;
  readonly endpoint: string;
  readonly datasets: readonly AssetDataset[];
}

/** A topic that was met, as an asset that may be imported. */
export interface DiscoveredAsset {
  /** Level of the topic and four letters: the same for the same topic, always and everywhere. */
  readonly name: string;
  readonly topic: string;
  readonly device: string;
  readonly endpoint: string;
  /** Milliseconds since the Unix epoch. */
  readonly firstSeen: number;
}
