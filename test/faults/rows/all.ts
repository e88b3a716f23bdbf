import type { Row } from "../row.ts";
import { kafkaKill, kafkaRestart, mosquittoKill, mosquittoRestart } from "./brokers.ts";
import { diskFull } from "./disk.ts";
import { rebalanceStorm } from "./group.ts";
import { killOfTheHost } from "./host.ts";
import { connectionReset, halfOpen, latency, throttling } from "./network.ts";
import { authorizationWithdrawn, messageTooLarge, poisonHeaders } from "./refusals.ts";
import { clockJumps, identifiersWrap, sessionTakenOver, smallerWindow } from "./session.ts";
import { offsetOutOfRange, topicRecreated } from "./topics.ts";

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  killOfTheHost,
  kafkaRestart,
  kafkaKill,
  mosquittoRestart,
  mosquittoKill,
  connectionReset,
  halfOpen,
  latency,
  throttling,
  rebalanceStorm,
  topicRecreated,
  offsetOutOfRange,
  messageTooLarge,
  authorizationWithdrawn,
  smallerWindow,
  sessionTakenOver,
  diskFull,
  identifiersWrap,
  poisonHeaders,
  clockJumps,
];
