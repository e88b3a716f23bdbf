/** Kafka headers that stand for built-in MQTT 5 properties, by the documents' names (S-10), and for the Topic Name (S-11). */
export const PAYLOAD_FORMAT_INDICATOR = "Payload Format Indicator";
export const MESSAGE_EXPIRY_INTERVAL = "Message Expiry Interval";
export const RESPONSE_TOPIC = "Response Topic";
export const CORRELATION_DATA = "Correlation Data";
export const CONTENT_TYPE = "Content Type";
export const MQTT_TOPIC = "MQTT Topic";

/** User Properties that stand for the parts of a Kafka record (S-20). */
export const KEY = "Key";
export const TIMESTAMP = "Timestamp";

/** The Content Type of what a map writes. */
export const JSON_TYPE = "application/json";
