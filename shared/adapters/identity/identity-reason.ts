interface VendorError {
  readonly name?: string;
  readonly message?: string;
  /** Of a chain: one of each credential that was tried. */
  readonly errors?: readonly unknown[];
}

const NOBODY =
  "no identity answered: the host has no managed identity, and nobody is signed in on it (az login)";

/** Why @azure/identity has no token, in one line: of a chain of credentials what the one says that was there and was refused. */
export function identityReason(cause: unknown): string {
  const { errors } = (cause ?? {}) as VendorError;
  if (errors === undefined) return lineOf(cause);
  const telling =
    errors.find((error) => (error as VendorError).name !== "CredentialUnavailableError") ??
    errors.find((error) => /Authentication failed|run 'az login'/u.test(messageOf(error)));
  return telling === undefined ? NOBODY : lineOf(telling);
}

function lineOf(error: unknown): string {
  const [line = ""] = messageOf(error).split("\n", 1);
  // MSAL puts what the service says between numbers that help nobody who reads a log
  const said = /Description: (.*?)(?: - Correlation ID: .*)?$/u.exec(line)?.[1];
  return said ?? (line === "" ? "unknown reason" : line);
}

function messageOf(error: unknown): string {
  return (error as VendorError | undefined)?.message ?? "";
}
