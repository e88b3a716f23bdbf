import { Writable } from "node:stream";

/** A stream that remembers what was written to it. */
export class TextStream extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }

  lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}
