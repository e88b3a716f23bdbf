import { expect, test } from "vitest";
import {
  forgetMember,
  joinStatically,
  withGroupInstance,
} from "../../../shared/adapters/kafka/static-membership.ts";

const usual = Buffer.from("usual");
const newcomer = Buffer.from("newcomer");

function request(memberId: string, groupInstanceId?: string): Record<string, unknown> {
  const protocol = { name: "range", metadata: usual, metadataOfNewcomer: newcomer };
  return { memberId, groupProtocols: [{ ...protocol, groupInstanceId }] };
}

function metadataOf({ options }: ReturnType<typeof joinStatically>): unknown {
  return (options["groupProtocols"] as { metadata: Buffer }[])[0]?.metadata;
}

test.each([
  ["without an instance id", request("m-1"), true],
  ["where the broker knows of no instance ids", request("m-2", "host"), false],
] as const)("a member %s joins as it always did", (_, given, possible) => {
  const join = joinStatically(given, possible);
  expect(join.options).toBe(given);
  join.onJoined(String(given["memberId"]));
  expect(withGroupInstance({ memberId: given["memberId"] })).toEqual({
    memberId: given["memberId"],
  });
});

test("a newcomer takes its place with other metadata, and is then told to join with its own [S-50]", () => {
  const first = joinStatically(request("", "host-a"), true);
  expect(first.options).toMatchObject({ groupInstanceId: "host-a" });
  expect(metadataOf(first)).toBe(newcomer);
  expect(() => first.onJoined("host-a-1")).toThrow(
    expect.objectContaining({ name: "KafkaJSMemberIdRequired", memberId: "host-a-1" }),
  );
  const second = joinStatically(request("host-a-1", "host-a"), true);
  expect(second.options).toMatchObject({ groupInstanceId: "host-a" });
  expect(metadataOf(second)).toBe(usual);
  second.onJoined("host-a-1");
});

test("later requests of a static member say which it is, until it is no more", () => {
  expect(() => joinStatically(request("", "host-b"), true).onJoined("host-b-1")).toThrow();
  expect(withGroupInstance({ memberId: "host-b-1", groupId: "g" })).toEqual({
    ...{ memberId: "host-b-1", groupId: "g", groupInstanceId: "host-b" },
  });
  forgetMember("host-b-1");
  expect(withGroupInstance({ memberId: "host-b-1" })).toEqual({ memberId: "host-b-1" });
});
