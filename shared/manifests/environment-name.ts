/** The name in the environment under which a Secret or ConfigMap is looked up, without the key (S-3): `ISTHMUS_SECRET_CS_SECRET`. */
export function environmentName(kind: "Secret" | "ConfigMap", name: string): string {
  return `ISTHMUS_${kind.toUpperCase()}_${environmentPart(name)}`;
}

/** Upper case, and `_` for what a name in the environment cannot hold. */
export function environmentPart(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}
