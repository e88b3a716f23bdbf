/** One MQTT 5 User Property. The same name may appear more than once and order is kept [MQTT-3.3.2-18]. */
export type UserProperty = readonly [name: string, value: string];

/** The properties of a PUBLISH that travel with the Application Message. */
export interface PublishProperties {
  readonly payloadFormatIndicator?: 0 | 1;
  /** Seconds. */
  readonly messageExpiryInterval?: number;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly contentType?: string;
  readonly userProperties: readonly UserProperty[];
}

/** An Application Message as an MQTT 5 PUBLISH carries it. */
export interface Publish {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties: PublishProperties;
}
