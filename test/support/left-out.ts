const LEFT_OUT = / \[left out: (.+)\]$/;

/** The name of a suite that cannot run here, with the reasons. */
export function leftOutName(name: string, reasons: readonly string[]): string {
  return `${name} [left out: ${reasons.join("; ")}]`;
}

/** Why the suite of this name is left out; undefined when it runs. */
export function reasonLeftOut(name: string): string | undefined {
  return LEFT_OUT.exec(name)?.[1];
}

/** The environment variable in which the setup says why it has no broker to offer. */
export function missingVariable(broker: "kafka" | "mosquitto"): string {
  return `ISTHMUS_TEST_NO_${broker.toUpperCase()}`;
}
