import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FORGOTTEN, watchDeliveries } from "../forgotten.ts";
import { MqttWire } from "../mqtt-wire.ts";
import { BOTH, type Row, WITHIN_WINDOW } from "../row.ts";
import type { Run } from "../run.ts";

const JUMPS = 3;
const CLOCK = pathToFileURL(resolve("test/faults/clock-jump.mjs")).href;
/** More than there are Packet Identifiers. */
const WRAPPING = 100_000;

export const clockJumps: Row = {
  name: "clock jumps",
  does: "The bridge's wall clock jumps forward by 50 minutes, then back by hours, then to where Kafka takes no record any more (an hour ahead of its own) for 1 to 2 s, and back.",
  directions: BOTH,
  env: { NODE_OPTIONS: `--import=${CLOCK}` },
  ...WITHIN_WINDOW,
  async play(run) {
    for await (const moment of run.moments(JUMPS)) {
      run.signalBridge("SIGUSR2");
      if (moment === JUMPS - 1) {
        run.allow(0.95);
        await run.pause(1000, 2000);
        run.signalBridge("SIGUSR2");
      }
      await run.recovered();
    }
  },
};

export const identifiersWrap: Row = {
  name: "MQTT packet identifiers wrapping",
  does: "Packet Identifiers come round after twice the window; after many rounds in one session the connections to Mosquitto are reset shortly before and after they begin anew.",
  directions: ["toMqtt"],
  atLeast: WRAPPING,
  ...WITHIN_WINDOW,
  async play(run) {
    const { account } = run.flow("toMqtt");
    for (const at of [65_000, 66_300]) {
      run.allow(at / account.size);
      await run.sent((at - 200) / account.size);
      run.strikes();
      run.world.mqttProxy.reset();
      await run.recovered();
    }
    run.allow(1);
  },
};

export const smallerWindow: Row = {
  name: "Receive Maximum shrunk on reconnect",
  does: `Mosquitto comes back twice with a Receive Maximum of 5 to 50, far below what the bridge had unacknowledged. What it never handed to the bridge after its restart is counted as ${FORGOTTEN}.`,
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    const excuse = watchDeliveries(run);
    for await (const _ of run.moments(2)) {
      await run.world.mosquitto.stop();
      const most = run.random.whole(5, 50);
      await run.world.configureMosquitto([`max_inflight_messages ${most}`]);
      await run.startMosquitto();
    }
    await excuse();
    await run.restartMosquitto([]);
  },
};

export const sessionTakenOver: Row = {
  name: "session taken over",
  does: "Another client comes with the Client Identifiers of the bridge's connections, takes up to ten messages of each session without acknowledging them, and goes within a second. The bridge takes its sessions back.",
  directions: BOTH,
  ...WITHIN_WINDOW,
  async play(run) {
    for await (const _ of run.moments(1)) {
      const takers = [...run.observer.clients].map((clientId) => take(run, clientId));
      await Promise.all(takers.map(async (taker) => (await taker)()));
      await run.recovered();
    }
  },
};

/** Takes a session over; resolves with what gives it up. */
function take(run: Run, clientId: string): Promise<() => Promise<void>> {
  return new Promise((resolve) => {
    const wire = new MqttWire({
      ...{ port: run.world.mqttPort, clientId, cleanStart: false, receiveMaximum: 10 },
      connected: () =>
        resolve(async () => {
          await run.pause(0, 1000);
          wire.close();
        }),
      packet: () => undefined,
    });
  });
}
