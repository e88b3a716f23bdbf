import type { SaslMechanism } from "../../model/connection.ts";
import { choice, type Schema } from "./leaf.ts";

export type SaslType = "Plain" | "ScramSha256" | "ScramSha512";

export const saslType: Schema<SaslType> = choice(["Plain", "ScramSha256", "ScramSha512"]);

/** The registered name of each mechanism. */
export const saslMechanism: Readonly<Record<SaslType, SaslMechanism>> = {
  Plain: "plain",
  ScramSha256: "scram-sha-256",
  ScramSha512: "scram-sha-512",
};
