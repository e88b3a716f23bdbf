import { BridgeError } from "../errors.ts";
import type { SaslCredential, SaslSecret } from "../model/connection.ts";
import type { SecretStore } from "../model/secret-store.ts";

export interface UserAndPassword {
  readonly username: string;
  readonly password: string;
}

/** Text of a secret; files and `echo` leave a line end behind that is no part of it. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
}

/** Username and password of a Secret, or `$ConnectionString` for a token that is one (S-4). @throws BridgeError SECRET_MISSING or SECRET_INVALID */
export async function userFromSecret(name: string, store: SecretStore): Promise<UserAndPassword> {
  const values = await store.secret(name);
  if (values === undefined) {
    throw new BridgeError(
      "SECRET_MISSING",
      `Cannot find Secret "${name}": it is in no manifest, no mounted folder and not in the environment`,
    );
  }
  const username = values.get("username");
  const password = values.get("password");
  if (username !== undefined && password !== undefined) {
    return { username: textOf(username), password: textOf(password) };
  }
  const token = values.get("token");
  if (token !== undefined && username === undefined && password === undefined) {
    return fromToken(name, textOf(token));
  }
  const lacking = username === undefined ? "username" : "password";
  throw new BridgeError(
    "SECRET_INVALID",
    `Cannot use Secret "${name}": it has no "${lacking}": give username and password`,
  );
}

function fromToken(name: string, token: string): UserAndPassword {
  if (token.startsWith("Endpoint=sb://")) return { username: "$ConnectionString", password: token };
  throw new BridgeError(
    "SECRET_INVALID",
    `Cannot use Secret "${name}": its "token" is no connection string of Event Hubs (Endpoint=sb://…): give username and password instead`,
  );
}

/** The user of a SASL connection, wherever its credential is kept. */
export async function saslUser(
  credential: SaslSecret | SaslCredential,
  store: SecretStore,
): Promise<UserAndPassword> {
  if (credential.kind === "secret") return await userFromSecret(credential.name, store);
  const { username, password } = credential;
  return {
    username: username.from === "literal" ? username.value : textOf(await store.value(username)),
    password: textOf(await store.value(password)),
  };
}
