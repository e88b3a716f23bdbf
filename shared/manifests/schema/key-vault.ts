import * as z from "zod";
import { reference, type Schema, text } from "./leaf.ts";

/** An object in Azure Key Vault. */
export interface VaultObject {
  readonly name: string;
  readonly version?: string | undefined;
}

export interface Vault {
  readonly name: string;
  readonly directoryId?: string | undefined;
  readonly credentials?:
    | { readonly servicePrincipalLocalSecretName?: string | undefined }
    | undefined;
}

export const vaultObject: Schema<VaultObject> = z.object({ name: text, version: text.optional() });

export const vault: Schema<Vault> = z.object({
  name: text,
  directoryId: text.optional(),
  credentials: z.object({ servicePrincipalLocalSecretName: reference.optional() }).optional(),
});
