import * as z from "zod";
import { ignored } from "./leaf.ts";

/** A Secret or ConfigMap: its values are checked where they are decoded, so that no message repeats one. */
export interface KeyValues {
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly stringData?: Readonly<Record<string, unknown>> | undefined;
  readonly binaryData?: Readonly<Record<string, unknown>> | undefined;
}

const values: z.ZodOptional<z.ZodType<Readonly<Record<string, unknown>>>> = z
  .record(z.string(), z.unknown())
  .optional();

export const secretFields: Readonly<Record<string, z.ZodType>> = {
  data: values,
  stringData: values,
  type: ignored,
  immutable: ignored,
};

export const configMapFields: Readonly<Record<string, z.ZodType>> = {
  data: values,
  binaryData: values,
  immutable: ignored,
};
