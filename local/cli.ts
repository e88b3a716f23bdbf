#!/usr/bin/env node
import { BridgeError } from "../shared/errors.ts";
import { nearest } from "../shared/manifests/nearest.ts";
import type { Command } from "./command.ts";
import { assetsCommand } from "./commands/assets.ts";
import { devCommand } from "./commands/dev.ts";
import { explainCommand } from "./commands/explain.ts";
import { planCommand } from "./commands/plan.ts";
import { replayCommand } from "./commands/replay.ts";
import { runCommand } from "./commands/run.ts";
import { translateCommand } from "./commands/translate.ts";
import { validateCommand } from "./commands/validate.ts";
import { verifyCommand } from "./commands/verify.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { parseArguments } from "./parse-arguments.ts";
import { report } from "./report.ts";
import { print, type Shell } from "./shell.ts";
import { version } from "./version.ts";

const COMMANDS: readonly Command[] = [
  runCommand,
  devCommand,
  validateCommand,
  planCommand,
  translateCommand,
  explainCommand,
  assetsCommand,
  replayCommand,
  verifyCommand,
];

const STAY_MS = 3_600_000;

function processShell(): Shell {
  return {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: process.stderr.isTTY === true,
    onSignal: (fn) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => fn(signal));
    },
    exit: (code) => process.exit(code),
  };
}

function findCommand(word: string): Command {
  const found = COMMANDS.find((command) => command.name === word);
  if (found !== undefined) return found;
  const names = COMMANDS.map((command) => command.name);
  const near = nearest(word, names);
  const hint =
    near === undefined ? `the commands are ${names.join(", ")}` : `did you mean ${near}?`;
  const what = word.startsWith("-") ? "option" : "command";
  throw new BridgeError("USAGE", `Unknown ${what} "${word}": ${hint}`);
}

async function main(words: readonly string[], shell: Shell): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) throw new BridgeError("USAGE", "No command given: see isthmus --help");
  if (first === "--version") {
    print(shell, await version());
    return 0;
  }
  if (first === "--help" || first === "-h") {
    print(shell, generalHelp(COMMANDS));
    return 0;
  }
  if (first === "help") {
    const [about] = rest;
    print(shell, about === undefined ? generalHelp(COMMANDS) : commandHelp(findCommand(about)));
    return 0;
  }
  const command = findCommand(first);
  const args = parseArguments(command, rest);
  if (args.flag("help")) {
    print(shell, commandHelp(command));
    return 0;
  }
  return await command.run(args, shell);
}

/** Runs the command line and ends the process with its exit code, once all output is written. */
async function start(): Promise<void> {
  const shell = processShell();
  const words = process.argv.slice(2);
  const debug = words.includes("--debug") || process.env["ISTHMUS_DEBUG"] === "1";
  const crash = (error: unknown): void => {
    report(shell, error, debug);
    process.exit(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  // `isthmus plan | head` closes our stdout early: that is no error
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    crash(error);
  });
  // a bridge that waits for a broker has neither socket nor timer that would keep the process: it must stay all the same
  const stay = setInterval(() => undefined, STAY_MS);
  let code = 1;
  try {
    code = await main(words, shell);
  } catch (error) {
    report(shell, error, debug);
  }
  clearInterval(stay);
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

await start();
