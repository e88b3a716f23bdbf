import { crc32, inflateRawSync } from "node:zlib";

/** The files of a ZIP archive, read through its directory, each checked against its sum. */
export function unzip(archive: Buffer): Map<string, Buffer> {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error("no ZIP archive");
  const files = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let i = archive.readUInt16LE(end + 10); i > 0; i -= 1) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error("broken directory");
    const [sum, packed, size] = [16, 20, 24].map((o) => archive.readUInt32LE(at + o)) as number[];
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => archive.readUInt16LE(at + o));
    const local = archive.readUInt32LE(at + 42);
    const name = archive.toString("utf8", at + 46, at + 46 + (nameLength ?? 0));
    const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = inflateRawSync(archive.subarray(data, data + (packed ?? 0)));
    if (bytes.length !== size || crc32(bytes) !== sum) throw new Error(`"${name}" is broken`);
    files.set(name, bytes);
    at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return files;
}
