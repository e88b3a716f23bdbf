import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";

interface VersionRange {
  readonly key: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

interface Answer {
  readonly errorCode: number;
  readonly ranges: readonly VersionRange[];
}

/**
 * ApiVersions v0-3: which versions of which API this broker takes.
 * Request v0-2: nothing; v3: software name and version as compact strings, which are not needed here.
 * Response: error_code int16, [api_key int16, min int16, max int16], throttle_time_ms int32 (v1+); v3 with compact array and tags.
 * Its header never has tags, so that a client can read it before it knows what the broker speaks.
 */
export function apiVersions(ranges: () => readonly VersionRange[]): Api {
  return defineApi<null, Answer>({
    key: 18,
    name: "ApiVersions",
    minVersion: 0,
    maxVersion: 3,
    flexibleFrom: 3,
    decode: () => null,
    apply: (_request, { faults }) => ({
      errorCode: faults.refusal({})?.errorCode ?? ERROR.none,
      ranges: ranges(),
    }),
    encode(writer, answer, { version, throttleTimeMs }) {
      const isFlexible = version >= 3;
      writer.int16(answer.errorCode);
      if (isFlexible) writer.unsignedVarint(answer.ranges.length + 1);
      else writer.int32(answer.ranges.length);
      for (const { key, minVersion, maxVersion } of answer.ranges) {
        writer.int16(key).int16(minVersion).int16(maxVersion);
        if (isFlexible) writer.unsignedVarint(0);
      }
      if (version >= 1) writer.int32(throttleTimeMs);
      if (isFlexible) writer.unsignedVarint(0);
    },
  });
}
