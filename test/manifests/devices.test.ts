import { expect, test } from "vitest";
import { compileManifests } from "../../shared/manifests/compile.ts";
import { problemsOf } from "./support.ts";

const device = (
  configuration: string,
  type = "microsoft.mqtt",
): string => `apiVersion: deviceregistry.microsoft.com/v1
kind: Device
metadata: {name: d}
spec:
  endpoints:
    inbound:
      in:
        endpointType: ${type}
        address: mqtt://b:1883
        additionalConfiguration: '${configuration}'
`;

const at = "spec.endpoints.inbound.in.additionalConfiguration";

test.each<[string, string[]]>([
  ["{}", []],
  [
    "{nope",
    [
      `10:34: error: the text is not JSON: additionalConfiguration is JSON in quotes, for example '{"useBuiltInMqttBroker": true}' (${at})`,
    ],
  ],
  ["5", [`10:34: error: found 5, expected fields (name: value, indented) (${at})`]],
  [
    '{"assetDiscoveryConfiguration": {"topicFilter": "a/#"}}',
    [
      `10:34: error: "a/#" is not a filter for discovery: "#" is not supported, use "+" for each level that varies (${at}.assetDiscoveryConfiguration.topicFilter)`,
    ],
  ],
  [
    '{"assetDiscoveryConfiguration": {"topicFilter": "a/+", "assetLevel": 0, "topicMappingPrefix": "p/"}}',
    [
      `10:34: error: 0 is not allowed: use a whole number, 1 or more (${at}.assetDiscoveryConfiguration.assetLevel)`,
      `10:34: error: "p/" is not a topic mapping prefix: write it without "+", "#" and "/" at its end (${at}.assetDiscoveryConfiguration.topicMappingPrefix)`,
    ],
  ],
  [
    '{"assetDiscoverConfiguration": {}}',
    [
      `10:34: warning: "assetDiscoverConfiguration" is not a known field and has no effect; did you mean assetDiscoveryConfiguration? (${at}.assetDiscoverConfiguration)`,
    ],
  ],
])("additionalConfiguration %s (S-60)", (configuration, expected) => {
  expect(problemsOf(device(configuration))).toEqual(expected);
});

test("endpoints of other types are skipped with a note", () => {
  expect(problemsOf(device("{}", "Microsoft.OpcUa"), [])).toEqual([
    '8:23: note: endpoints of type "Microsoft.OpcUa" are not served here: skipped (spec.endpoints.inbound.in.endpointType)',
  ]);
});

test("a device without endpoints and a discovered asset are read", () => {
  const text = `apiVersion: deviceregistry.microsoft.com/v1
kind: Device
metadata: {name: d}
spec: {enabled: false}
---
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: DiscoveredAsset
metadata: {name: a}
spec: {datasets: [{name: s, destinations: [{target: mqtt, configuration: {qos: 0}}]}]}
`;
  const { devices, assets, problems } = compileManifests([{ path: "m", text }]);
  expect(problems).toMatchObject([
    { severity: "note", message: 'the device "d" is disabled: skipped' },
  ]);
  expect(devices).toMatchObject([{ name: "d", enabled: false, endpoints: [] }]);
  expect(assets).toMatchObject([
    {
      kind: "DiscoveredAsset",
      datasets: [{ destinations: [{ target: "Mqtt", configuration: { qos: 0 } }] }],
    },
  ]);
});
