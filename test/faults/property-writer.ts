/** MQTT 5 properties of a PUBLISH as bytes, written from the standard and not with shared/wire, which is under test. */
export class PropertyWriter {
  private static scratch: Buffer = Buffer.allocUnsafe(256 * 1024);
  private at = 0;

  byte(identifier: number, value: number): void {
    const { scratch } = PropertyWriter;
    scratch[this.at] = identifier;
    scratch[this.at + 1] = value;
    this.at += 2;
  }

  fourBytes(identifier: number, value: number): void {
    const { scratch } = PropertyWriter;
    scratch[this.at] = identifier;
    this.at = scratch.writeUInt32BE(value, this.at + 1);
  }

  /** A UTF-8 string or binary data: both are two bytes of length and then the bytes. */
  text(identifier: number, value: string | Buffer): void {
    PropertyWriter.scratch[this.at] = identifier;
    this.at += 1;
    this.lengthAndBytes(value);
  }

  user(name: string, value: string | Buffer): void {
    this.text(0x26, name);
    this.lengthAndBytes(value);
  }

  /** What was written, as a buffer of its own. */
  take(): Buffer {
    return Buffer.from(PropertyWriter.scratch.subarray(0, this.at));
  }

  private lengthAndBytes(value: string | Buffer): void {
    const { scratch } = PropertyWriter;
    const start = this.at + 2;
    const length =
      typeof value === "string" ? scratch.write(value, start) : value.copy(scratch, start);
    scratch.writeUInt16BE(length, this.at);
    this.at = start + length;
  }
}
