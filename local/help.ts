import { COMMON_OPTIONS, type Command, type OptionSpec } from "./command.ts";

function optionLabel(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  return `  ${short}--${name}${spec.type === "string" ? ` ${spec.value ?? "VALUE"}` : ""}`;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`);
}

function actionLines({ actions }: Command): string[] {
  if (actions === undefined) return [];
  return [
    "",
    "Actions:",
    ...table(
      actions.map(({ name, operand, text }) => [
        `  ${name}${operand === undefined ? "" : ` ${operand}`}`,
        text,
      ]),
    ),
  ];
}

/** What `isthmus COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS });
  return [
    `Usage: isthmus ${command.usage}`,
    "",
    command.summary,
    ...actionLines(command),
    "",
    "Options:",
    ...table(options.map(([name, spec]) => [optionLabel(name, spec), spec.text])),
    ...(command.notes.length === 0 ? [] : ["", ...command.notes]),
  ].join("\n");
}

/** What `isthmus --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    "Usage: isthmus COMMAND [options]",
    "",
    "The bridge between Kafka / Azure Event Hubs and MQTT v5.",
    "",
    "Commands:",
    ...table(commands.map((command) => [`  ${command.name}`, command.summary])),
    "",
    "Options:",
    ...table([
      ["  -h, --help", "show this help; isthmus COMMAND --help shows a command's"],
      ["  --version", "show the version"],
    ]),
    "",
    "To see messages cross a bridge on this machine, without any broker: isthmus dev",
  ].join("\n");
}
