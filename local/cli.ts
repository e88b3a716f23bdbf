#!/usr/bin/env node
import { BridgeError } from "../shared/errors.ts";
import { nearest } from "../shared/manifests/nearest.ts";
import type { Command } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { parseArguments } from "./parse-arguments.ts";
import { report } from "./report.ts";
import { print, type Shell } from "./shell.ts";
import { version } from "./version.ts";

/** Each with all that it needs: only the one that is called is loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./commands/run.ts")).runCommand,
  dev: async () => (await import("./commands/dev.ts")).devCommand,
  validate: async () => (await import("./commands/validate.ts")).validateCommand,
  plan: async () => (await import("./commands/plan.ts")).planCommand,
  translate: async () => (await import("./commands/translate.ts")).translateCommand,
  explain: async () => (await import("./commands/explain.ts")).explainCommand,
  assets: async () => (await import("./commands/assets.ts")).assetsCommand,
  replay: async () => (await import("./commands/replay.ts")).replayCommand,
  verify: async () => (await import("./commands/verify.ts")).verifyCommand,
};

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

async function findCommand(word: string): Promise<Command> {
  const names = Object.keys(COMMANDS);
  const found = names.includes(word) ? COMMANDS[word] : undefined;
  if (found !== undefined) return found();
  const near = nearest(word, names);
  const hint =
    near === undefined ? `the commands are ${names.join(", ")}` : `did you mean ${near}?`;
  const what = word.startsWith("-") ? "option" : "command";
  throw new BridgeError("USAGE", `Unknown ${what} "${word}": ${hint}`);
}

async function help(): Promise<string> {
  return generalHelp(await Promise.all(Object.values(COMMANDS).map((load) => load())));
}

async function main(words: readonly string[], shell: Shell): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) throw new BridgeError("USAGE", "No command given: see isthmus --help");
  if (first === "--version") {
    print(shell, await version());
    return 0;
  }
  if (first === "--help" || first === "-h") {
    print(shell, await help());
    return 0;
  }
  if (first === "help") {
    const [about] = rest;
    print(shell, about === undefined ? await help() : commandHelp(await findCommand(about)));
    return 0;
  }
  const command = await findCommand(first);
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
