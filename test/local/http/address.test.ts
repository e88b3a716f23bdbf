import { describe, expect, test } from "vitest";
import { httpUrl, isLoopback, parseHttpAddress } from "../../../local/http/address.ts";

describe("parseHttpAddress()", () => {
  test.each([
    { text: "127.0.0.1:8080", want: { host: "127.0.0.1", port: 8080 } },
    { text: "0.0.0.0:80", want: { host: "0.0.0.0", port: 80 } },
    { text: "[::1]:8080", want: { host: "::1", port: 8080 } },
    { text: "localhost:0", want: { host: "localhost", port: 0 } },
    { text: ":8080", want: { host: "127.0.0.1", port: 8080 } },
    { text: "8080", want: { host: "127.0.0.1", port: 8080 } },
  ])("reads $text", ({ text, want }) => {
    expect(parseHttpAddress(text)).toEqual(want);
  });

  test.each(["", "host", "host:", "host:65536", "host:-1", "a b:1", "::1:8080", "http://h:1"])(
    'refuses "%s"',
    (text) => {
      expect(() => parseHttpAddress(text)).toThrow(
        `Option --http must be HOST:PORT, as 127.0.0.1:8080: "${text}"`,
      );
    },
  );
});

test.each([
  { host: "127.0.0.1", want: true },
  { host: "127.8.9.1", want: true },
  { host: "localhost", want: true },
  { host: "::1", want: true },
  { host: "0.0.0.0", want: false },
  { host: "127.0.0.1.example.org", want: false },
])("isLoopback() of $host is $want", ({ host, want }) => {
  expect(isLoopback(host)).toBe(want);
});

test.each([
  { host: "0.0.0.0", want: "http://127.0.0.1:80/" },
  { host: "::", want: "http://[::1]:80/" },
  { host: "localhost", want: "http://localhost:80/" },
])("httpUrl() of $host can be opened in a browser", ({ host, want }) => {
  expect(httpUrl({ host, port: 80 })).toBe(want);
});
