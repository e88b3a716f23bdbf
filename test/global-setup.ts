import { missingVariable } from "./support/left-out.ts";
import { startTestBrokers } from "./support/test-brokers.ts";

/** Brings up the brokers before the first suite that needs them; what it returns ends them. */
export default async function setup(): Promise<() => Promise<void>> {
  const brokers = await startTestBrokers(process.env);
  Object.assign(process.env, brokers.variables);
  for (const broker of ["kafka", "mosquitto"] as const) {
    const why = brokers.missing[broker];
    if (why !== undefined) process.env[missingVariable(broker)] = why;
  }
  return brokers.dispose;
}
