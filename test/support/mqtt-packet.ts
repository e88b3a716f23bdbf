/** The codec that mqtt.js brings along, as a second opinion on ours and as the voice of scripted servers. */

import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";

/** A packet as mqtt-packet spells it: `cmd` and the fields of that command. */
export type AnyPacket = { readonly cmd: string; readonly [field: string]: unknown };

interface PacketParser extends EventEmitter {
  parse(bytes: Uint8Array): number;
}

interface MqttPacket {
  generate(packet: AnyPacket, options: { protocolVersion: 5 }): Buffer;
  parser(options: { protocolVersion: 5 }): PacketParser;
}

const ofMqtt = createRequire(createRequire(import.meta.url).resolve("mqtt"));
const codec = ofMqtt("mqtt-packet") as MqttPacket;
const V5 = { protocolVersion: 5 } as const;

export function generatePacket(packet: AnyPacket): Buffer {
  return codec.generate(packet, V5);
}

/** Calls `onPacket` for each packet; throws what the parser finds wrong. */
export function packetParser(onPacket: (packet: AnyPacket) => void): (bytes: Uint8Array) => void {
  const parser = codec.parser(V5);
  parser.on("packet", onPacket);
  parser.on("error", (error: Error) => {
    throw error;
  });
  return (bytes) => void parser.parse(bytes);
}

/** The packets in `bytes`. */
export function parsePackets(bytes: Uint8Array): AnyPacket[] {
  const packets: AnyPacket[] = [];
  packetParser((packet) => packets.push(packet))(bytes);
  return packets;
}
