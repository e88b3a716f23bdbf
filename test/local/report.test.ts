import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ADVICE } from "../../local/advice.ts";
import { errorText } from "../../local/report.ts";
import { BridgeError } from "../../shared/errors.ts";

test.each([
  {
    name: "a usage error is its message",
    error: new BridgeError("USAGE", "No route given"),
    want: "isthmus: No route given",
  },
  {
    name: "a known error has its code and what to do",
    error: new BridgeError("KAFKA_UNAVAILABLE", "Cannot reach Kafka"),
    want: `isthmus: Cannot reach Kafka [KAFKA_UNAVAILABLE]\n  ${ADVICE.KAFKA_UNAVAILABLE}`,
  },
  {
    name: "a cause that the message leaves out is added",
    error: new BridgeError("MQTT_UNAVAILABLE", "Cannot reach MQTT", {
      cause: new Error("ECONNREFUSED"),
    }),
    want: `isthmus: Cannot reach MQTT (ECONNREFUSED) [MQTT_UNAVAILABLE]\n  ${ADVICE.MQTT_UNAVAILABLE}`,
  },
  {
    name: "a cause that the message tells already is not repeated",
    error: new BridgeError("STOPPED", "Stopped: it broke", { cause: new Error("it broke") }),
    want: "isthmus: Stopped: it broke [STOPPED]",
  },
  {
    name: "anything else is one line without a stack",
    error: new TypeError("x is\n not a function"),
    want: "isthmus: unexpected error: x is not a function (run again with --debug to see where)",
  },
  {
    name: "what is no error is one line too",
    error: "text",
    want: "isthmus: unexpected error: text (run again with --debug to see where)",
  },
])("errorText(): $name", ({ error, want }) => {
  expect(errorText(error)).toBe(want);
});

test("docs/operations.md says of each error code what the operator does", async () => {
  const docs = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const missing = Object.keys(ADVICE).filter((code) => !docs.includes(`| \`${code}\` |`));
  expect(missing).toEqual([]);
});
