import { expect, test } from "vitest";
import type { Shell } from "../../local/shell.ts";
import { stopSignal } from "../../local/stop-signal.ts";
import { TextStream } from "../support/text-stream.ts";

test("stopSignal() resolves at the first signal, takes one key press for one, and ends the process at the second with a message", async () => {
  const stderr = new TextStream();
  const exits: number[] = [];
  let signal: (name: string) => void = () => undefined;
  let now = 0;
  const shell: Partial<Shell> = {
    stderr,
    onSignal: (fn) => {
      signal = fn;
    },
    exit: (code) => exits.push(code),
  };
  const stopped = stopSignal(shell as Shell, () => now);
  signal("SIGTERM");
  expect(await stopped).toBe("SIGTERM");
  now = 499;
  signal("SIGINT");
  expect({ exits, text: stderr.text }).toEqual({ exits: [], text: "" });
  now = 500;
  signal("SIGINT");
  expect(exits).toEqual([130]);
  expect(stderr.lines()).toEqual([
    expect.stringMatching(/^isthmus: second signal: ending without/),
  ]);
});
