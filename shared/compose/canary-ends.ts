import { kafkaAdmin } from "../adapters/kafka/kafka-admin.ts";
import type { CanaryRequest } from "./canary-end.ts";
import { listenToLetters } from "./canary-letters.ts";
import { listenToKafka, listenToMqtt } from "./canary-listener.ts";
import { type CanarySender, sendToKafka, sendToMqtt } from "./canary-sender.ts";
import type { HostContext } from "./context.ts";
import { kafkaEndpointOf } from "./endpoints.ts";

/** How many partitions a topic has. @throws BridgeError when it is not there or cannot be asked for */
export async function partitionsOf(
  connection: string,
  topic: string,
  host: HostContext,
): Promise<number> {
  const endpoint = await kafkaEndpointOf(connection, host);
  return (await kafkaAdmin(endpoint, "isthmus-verify", host.log).topicOffsets(topic)).length;
}

/**
 * Connects both ends of the way of canaries; what listens comes first, so that nothing that is sent can be missed.
 * Stopping the sender stops both. @throws BridgeError when an end cannot be had, or not in time
 */
export async function openEnds(request: CanaryRequest, host: HostContext): Promise<CanarySender> {
  const { from, to } = request.path;
  const listen = to.kind === "kafka" ? listenToKafka : listenToMqtt;
  const letters = listenToLetters(request, host);
  const listener = await listen(to, request, host).catch(async (cause: unknown) => {
    await (await letters).stop();
    throw cause;
  });
  const stop = async (): Promise<void> => {
    await Promise.all([(await letters).stop(), listener.stop()]);
  };
  try {
    await letters;
    const connect = from.kind === "kafka" ? sendToKafka : sendToMqtt;
    const sender = await connect(from, request, host);
    return {
      ...sender,
      async stop(): Promise<void> {
        await Promise.all([sender.stop(), stop()]);
      },
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
