import { DeadLetters } from "../../shared/engine/dead-letters.ts";
import { KafkaToMqtt } from "../../shared/engine/kafka-to-mqtt.ts";
import { MqttToKafka } from "../../shared/engine/mqtt-to-kafka.ts";
import { BatchHandler } from "../../shared/engine/record-handler.ts";

/** The parts of the engine that a simulation runs: the real ones, or ones with a fault planted. */
export interface Engine {
  readonly KafkaToMqtt: typeof KafkaToMqtt;
  readonly MqttToKafka: typeof MqttToKafka;
  readonly BatchHandler: typeof BatchHandler;
  readonly DeadLetters: typeof DeadLetters;
}

export const ENGINE: Engine = { KafkaToMqtt, MqttToKafka, BatchHandler, DeadLetters };
