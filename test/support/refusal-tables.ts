import { EVENT_HUBS_ERRORS } from "../../shared/adapters/event-hubs/event-hubs-error-table.ts";
import {
  CLIENT_ERRORS,
  type KafkaErrors,
  PROTOCOL_ERRORS,
} from "../../shared/adapters/kafka/kafka-error-table.ts";
import {
  type AnsweringPacket,
  REASON_CODES,
} from "../../shared/adapters/mqtt/mqtt-reason-code-table.ts";
import { NETWORK_ERRORS } from "../../shared/network-errors.ts";
import { ERROR_CODES } from "./kafka-refusals.ts";

type Cells = readonly string[];

const table = (head: Cells, rows: readonly Cells[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const code = (text: string): string => `\`${text}\``;
const codes = (names: readonly string[]): string => names.map(code).join(", ");

/** Whose verdict a table gives. */
const VERDICT_OF: Readonly<Record<AnsweringPacket, string>> = {
  CONNACK: "at start",
  SUBACK: "at start",
  PUBACK: "the message",
  DISCONNECT: "verdict",
};

function reasonCodes(packet: AnsweringPacket): string {
  const rows = [...REASON_CODES[packet].values()].filter(({ verdict }) => verdict !== "success");
  return table(
    ["Reason Code", "name", VERDICT_OF[packet], "code", "what to do"],
    rows.map((row) => [
      `0x${row.reasonCode.toString(16).toUpperCase().padStart(2, "0")}`,
      row.name,
      row.verdict,
      row.code === undefined ? "" : code(row.code),
      row.operator === "" ? "Nothing." : row.operator,
    ]),
  );
}

const numbers = new Map(ERROR_CODES.map((error) => [error.type, error.code]));
const numbered = (name: string): string =>
  numbers.has(name) ? `${code(name)} (${numbers.get(name)})` : code(name);

function kafka(rows: readonly KafkaErrors[]): string {
  return table(
    ["error", "at start", "a record", "code", "what to do"],
    rows.map((row) => [
      row.names.map(numbered).join(", "),
      row.connection,
      row.message,
      code(row.code),
      row.operator,
    ]),
  );
}

const TABLES: Readonly<Record<string, string>> = {
  connack: reasonCodes("CONNACK"),
  suback: reasonCodes("SUBACK"),
  puback: reasonCodes("PUBACK"),
  disconnect: reasonCodes("DISCONNECT"),
  kafka: kafka(PROTOCOL_ERRORS),
  kafkajs: kafka(CLIENT_ERRORS),
  "event-hubs": table(
    ["error", "at start", "a record", "code", "what to do"],
    EVENT_HUBS_ERRORS.map((row) => [
      row.saying === undefined
        ? codes(row.names)
        : `${codes(row.names)} that says "${row.saying.source.replaceAll("\\", "")}"`,
      row.start,
      row.message,
      code(row.code),
      row.operator,
    ]),
  ),
  network: table(
    ["error", "at start", "what to do"],
    NETWORK_ERRORS.map((row) => [codes(row.codes), row.verdict, row.operator]),
  ),
};

/** The page with every table between `<!-- table: NAME -->` and `<!-- end -->` as the code has it. @throws Error when one is missing */
export function withRefusalTables(page: string): string {
  let written = page;
  for (const [name, text] of Object.entries(TABLES)) {
    const begin = `<!-- table: ${name} -->\n`;
    const start = written.indexOf(begin);
    const end = written.indexOf("<!-- end -->", start);
    if (start === -1 || end === -1) throw new Error(`The page has no place for table ${name}`);
    written = `${written.slice(0, start + begin.length)}\n${text}\n\n${written.slice(end)}`;
  }
  return written;
}
