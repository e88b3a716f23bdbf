import { freePorts } from "../../support/free-ports.ts";
import { type Row, WITHIN_WINDOW } from "../row.ts";

const MEMBERS = 3;
const STORMS = 4;

export const rebalanceStorm: Row = {
  name: "rebalance storms",
  does: `Two more processes of the same manifests join the consumer group and leave it, by a stop or by kill -9, ${STORMS} times each, so that partitions move at every moment of their lives.`,
  directions: ["toMqtt"],
  instances: MEMBERS,
  args: ["--instance", "0"],
  ...WITHIN_WINDOW,
  async play(run) {
    const manifests = run.writeManifests("members", ["toMqtt"]);
    const member = async (instance: number): Promise<void> => {
      const [port = 0] = await freePorts(1);
      const runner = await run.newRunner(manifests, port, ["--instance", String(instance)]);
      await run.pause(100, 1500);
      await run.checkLedger(port);
      run.strikes();
      runner.signal(run.random.pick(["SIGTERM", "SIGKILL"]));
      await runner.ended;
    };
    for await (const _ of run.moments(STORMS)) {
      await Promise.all([member(1), member(2)]);
      await run.recovered();
    }
  },
};
