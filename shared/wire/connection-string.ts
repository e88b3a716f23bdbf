/** What a connection string of Event Hubs says, without its key. */
export interface ConnectionString {
  /** Host of the namespace. */
  readonly host: string;
  /** The one event hub that it is for; absent where it is for the whole namespace. */
  readonly entityPath?: string;
}

/** Reads a connection string of Event Hubs; in words what is wrong with one that is none. The words hold nothing of it. */
export function parseConnectionString(text: string): ConnectionString | string {
  const fields = new Map<string, string>();
  for (const part of text.trim().split(";")) {
    if (part.trim() === "") continue;
    const equals = part.indexOf("=");
    if (equals === -1) return 'one of its parts has no "="';
    fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const host = /^sb:\/\/([^/:]+)/iu.exec(fields.get("Endpoint") ?? "")?.[1];
  if (host === undefined) return 'it has no "Endpoint=sb://…"';
  if (!fields.has("SharedAccessSignature")) {
    const lacking = ["SharedAccessKeyName", "SharedAccessKey"].find((name) => !fields.get(name));
    if (lacking !== undefined) return `it has no "${lacking}"`;
  } else if (fields.has("SharedAccessKey") || fields.has("SharedAccessKeyName")) {
    return "it has a key and a signature: give one of them";
  }
  const entityPath = fields.get("EntityPath");
  return entityPath === undefined || entityPath === "" ? { host } : { host, entityPath };
}

/** Names of event hubs, and of namespaces, do not depend on case. */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
