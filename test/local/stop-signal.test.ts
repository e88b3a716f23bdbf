import { expect, test } from "vitest";
import type { Shell } from "../../local/shell.ts";
import { stopSignal } from "../../local/stop-signal.ts";
import { TextStream } from "../support/text-stream.ts";

test("stopSignal() resolves at the first signal, and ends the process at the second with a message", async () => {
  const stderr = new TextStream();
  const exits: number[] = [];
  let signal: (name: string) => void = () => undefined;
  const stopped = stopSignal({
    stderr,
    onSignal: (fn) => {
      signal = fn;
    },
    exit: (code) => exits.push(code),
  } as Partial<Shell> as Shell);
  signal("SIGTERM");
  expect(await stopped).toBe("SIGTERM");
  expect({ exits, text: stderr.text }).toEqual({ exits: [], text: "" });
  signal("SIGINT");
  expect(exits).toEqual([130]);
  expect(stderr.lines()).toEqual([
    expect.stringMatching(/^isthmus: second signal: ending without/),
  ]);
});
