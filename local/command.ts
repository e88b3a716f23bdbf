import type { Shell } from "./shell.ts";

/** One `--option` of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in help, for example `HOST:PORT`. */
  readonly value?: string;
  /** One line of help. */
  readonly text: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The options a command was given, already checked against its {@link OptionSpecs}. */
export interface Arguments {
  /** The word after the command's own, one of its {@link Command.actions}. */
  readonly action: string | undefined;
  /** The words after the action, where it takes any. */
  readonly operands: readonly string[];
  flag(name: string): boolean;
  /** The last value given. */
  value(name: string): string | undefined;
  /** Every value given, in order. */
  values(name: string): readonly string[];
}

/** What a command of several deeds does when this word follows its own. */
export interface ActionSpec {
  readonly name: string;
  /** What has to follow it, one or more, for example `NAME`; absent where nothing does. */
  readonly operand?: string;
  /** One line of help. */
  readonly text: string;
}

/** One word after `isthmus`. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What stands after `isthmus` in the usage line. */
  readonly usage: string;
  /** One of these has to follow the command's name; absent where nothing does. */
  readonly actions?: readonly ActionSpec[];
  readonly options: OptionSpecs;
  /** Lines under the options. */
  readonly notes: readonly string[];
  /** Resolves with the exit code. @throws BridgeError for what the user can mend: printed as one line, exit code 1. */
  run(args: Arguments, shell: Shell): Promise<number>;
}

/** Options that every command takes. */
export const COMMON_OPTIONS: OptionSpecs = {
  debug: { type: "boolean", text: "add the stack to unexpected errors (also ISTHMUS_DEBUG=1)" },
  help: { type: "boolean", short: "h", text: "show this help" },
};

/** The manifests, for commands that need them. */
export const MANIFEST_OPTIONS: OptionSpecs = {
  file: {
    type: "string",
    short: "f",
    multiple: true,
    value: "PATH",
    text: "a manifest, or a folder of them; may be repeated",
  },
};

/** For commands that take messages through one route. */
export const ROUTE_OPTION: OptionSpecs = {
  route: { type: "string", value: "NAME", text: "the route, as isthmus plan names it" },
};

/** For manifests that leave the MQTT broker to the cluster that they were written for. */
export const LOCAL_BROKER_OPTION: OptionSpecs = {
  "local-broker": {
    type: "string",
    value: "URL",
    text: "the MQTT broker of manifests that name none, as mqtt://host:1883 or mqtts://host:8883",
  },
};

/** Where mounted values are, for commands that need them. */
export const SECRETS_OPTION: OptionSpecs = {
  secrets: {
    type: "string",
    value: "FOLDER",
    text: "mounted Secrets and ConfigMaps: FOLDER/NAME/KEY",
  },
};

/** Where a host keeps what it found, for commands that look at it. */
export const STATE_OPTION: OptionSpecs = {
  state: {
    type: "string",
    value: "FOLDER",
    text: "where assets and the checkpoints of AMQP are kept (default .isthmus)",
  },
};
