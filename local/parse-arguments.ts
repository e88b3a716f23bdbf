import { parseArgs } from "node:util";
import { BridgeError } from "../shared/errors.ts";
import { nearest } from "../shared/manifests/nearest.ts";
import { type Arguments, COMMON_OPTIONS, type Command, type OptionSpecs } from "./command.ts";

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

function usage(message: string): BridgeError {
  return new BridgeError("USAGE", message);
}

function checkOption(token: OptionToken, specs: OptionSpecs, command: Command): void {
  const spec = specs[token.name];
  if (spec === undefined) {
    const near = nearest(token.name, Object.keys(specs));
    const hint =
      near === undefined ? `see isthmus ${command.name} --help` : `did you mean --${near}?`;
    throw usage(`Unknown option "${token.rawName}" of isthmus ${command.name}: ${hint}`);
  }
  if (spec.type === "boolean" && token.value !== undefined) {
    throw usage(`Option --${token.name} takes no value: "${token.value}" was given`);
  }
  // without strict mode parseArgs hands "--http --json" over as a value that is the next option
  const missing = token.value === undefined || (!token.inlineValue && token.value.startsWith("--"));
  if (spec.type === "string" && missing) {
    throw usage(`Option --${token.name} needs a value: --${token.name} ${spec.value ?? "VALUE"}`);
  }
}

function actionNames({ actions = [] }: Command): string[] {
  return actions.map(({ name }) => name);
}

/** The word that says what to do, and those after it where it takes any. */
function wordsOf(
  tokens: readonly Token[],
  command: Command,
): Pick<Arguments, "action" | "operands"> {
  const words = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const [first, ...operands] = words;
  const action =
    command.actions === undefined || first === undefined ? undefined : checkAction(first, command);
  const spec = command.actions?.find(({ name }) => name === action);
  const unexpected = action === undefined ? first : operands[0];
  if (unexpected !== undefined && spec?.operand === undefined) {
    const hint = "file" in command.options ? `: manifests are given as -f ${unexpected}` : "";
    throw usage(`Unexpected argument "${unexpected}" of isthmus ${command.name}${hint}`);
  }
  return { action, operands };
}

function checkAction(word: string, command: Command): string {
  const names = actionNames(command);
  if (names.includes(word)) return word;
  const near = nearest(word, names);
  const hint = near === undefined ? `it is ${names.join(" or ")}` : `did you mean ${near}?`;
  throw usage(`Unknown action "${word}" of isthmus ${command.name}: ${hint}`);
}

/** Reads a command's words. @throws BridgeError USAGE that says what is wrong, with the nearest known option. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const specs: OptionSpecs = { ...command.options, ...COMMON_OPTIONS };
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type, short, multiple }]) => [
      name,
      { type, multiple: multiple ?? false, ...(short === undefined ? {} : { short }) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    checkOption(token, specs, command);
    const values = given.get(token.name) ?? [];
    values.push(token.value ?? "");
    given.set(token.name, values);
  }
  // last: a word may only be the value of an option that is not understood
  const { action, operands } = wordsOf(tokens, command);
  const operand = command.actions?.find(({ name }) => name === action)?.operand;
  if (command.actions !== undefined && action === undefined && !given.has("help")) {
    throw usage(`isthmus ${command.name} needs an action: ${actionNames(command).join(" or ")}`);
  }
  if (operand !== undefined && operands.length === 0 && !given.has("help")) {
    throw usage(`isthmus ${command.name} ${action} needs ${operand}`);
  }
  return {
    action,
    operands,
    flag: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
  };
}

/** The number after `--name`, or undefined when it was not given. @throws BridgeError USAGE. */
export function numberOption(
  args: Arguments,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < range.min || value > range.max) {
    throw usage(`Option --${name} must be a number from ${range.min} to ${range.max}: "${text}"`);
  }
  return value;
}

/** One of `allowed` after `--name`. @throws BridgeError USAGE. */
export function choiceOption<T extends string>(
  args: Arguments,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  const found = allowed.find((choice) => choice === text);
  if (found === undefined) {
    throw usage(`Option --${name} must be one of ${allowed.join(", ")}: "${text}"`);
  }
  return found;
}
