import { describe, expect, test } from "vitest";
import {
  isProven,
  likelyCauses,
  reportText,
  type VerifyFacts,
  warnings,
} from "../../../local/verify/verify-report.ts";
import type { CanaryCounts } from "../../../shared/verify/canary-checker.ts";
import { canaryPath } from "../../../shared/verify/canary-path.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../../support/routes.ts";

const ordered = canaryPath({ route: kafkaToMqttRoute(), topic: "source", lanes: 1, size: 1 });
const unordered = canaryPath({ route: mqttToKafkaRoute(), topic: "factory/x", lanes: 1, size: 1 });
const latencyMs = { p50: 3.06, p90: 12.4, p99: 12_345, max: 12_345.6 };
const clean: CanaryCounts = {
  ...{ sent: 1000, received: 1000, deadLettered: 0, lost: 0 },
  ...{ duplicated: 0, reordered: 0, wrong: 0 },
  latencyMs,
};

function facts(counts: Partial<CanaryCounts> = {}, over: Partial<VerifyFacts> = {}): VerifyFacts {
  return {
    ...{
      run: "0123abcd",
      path: ordered,
      count: 1000,
      ending: "complete",
      resent: 0,
      seconds: 1.25,
    },
    ...{ problems: [], missing: [], counts: { ...clean, ...counts } },
    deadLetterCodes: new Map(),
    ...over,
  };
}

describe("isthmus verify", () => {
  test.each([
    { name: "all came once", facts: facts(), proven: true, strictly: true },
    {
      name: "some came twice, which at least once allows",
      facts: facts({ duplicated: 2 }),
      proven: true,
      strictly: false,
    },
    { name: "one is lost", facts: facts({ lost: 1 }), proven: false, strictly: false },
    {
      name: "one is a dead letter",
      facts: facts({ received: 999, deadLettered: 1 }),
      proven: false,
      strictly: false,
    },
    { name: "one is wrong", facts: facts({ wrong: 1 }), proven: false, strictly: false },
    { name: "one is late", facts: facts({ reordered: 1 }), proven: false, strictly: false },
    {
      name: "one is late where no order is promised",
      facts: facts({ reordered: 1 }, { path: unordered }),
      proven: true,
      strictly: true,
    },
    {
      name: "it was interrupted, though nothing sent is missing",
      facts: facts({ sent: 10, received: 10 }, { ending: "interrupted" }),
      proven: false,
      strictly: false,
    },
  ])("proven: $proven, with --strict: $strictly, when $name", ({ facts, proven, strictly }) => {
    expect(isProven(facts, false)).toBe(proven);
    expect(isProven(facts, true)).toBe(strictly);
  });

  test("reports for people", () => {
    const counts = { received: 987, deadLettered: 3, lost: 10, wrong: 1 };
    const deadLetterCodes = new Map([["MQTT_PACKET_TOO_LARGE", 3]]);
    const problems = ['canary 3: header "a" is missing'];
    const missing = [1, 2, 4, 5, 6];
    const text = reportText(
      facts(counts, { problems, missing, deadLetterCodes, ending: "timeout" }),
      false,
    );
    expect(text.split("\n")).toEqual([
      "sent             1,000",
      "received           987",
      "dead letters         3  MQTT_PACKET_TOO_LARGE 3",
      "lost                10  number 1, 2, 4, 5, 6, …",
      "duplicated           0",
      "reordered            0",
      "wrong                1",
      '                        canary 3: header "a" is missing',
      "latency      p50 3.1 ms, p90 12 ms, p99 12.3 s, max 12.3 s",
      "time         1.3 s",
      "",
      "Not every canary arrived.",
    ]);
  });

  test.each([
    { name: "once", facts: facts(), last: "Every canary arrived once, as it should be." },
    {
      name: "twice",
      facts: facts({ duplicated: 1 }),
      last: "Every canary arrived, as it should be; some came more than once.",
    },
    {
      name: "to the dead letters",
      facts: facts({ received: 990, deadLettered: 10 }),
      last: "Not every canary arrived: some were dead-lettered, for the reasons above.",
    },
    { name: "never", facts: facts({ received: 0, lost: 5 }), last: "Nothing arrived." },
    {
      name: "changed",
      facts: facts({ wrong: 5 }),
      last: "Every canary arrived, but not all as they should.",
    },
    {
      name: "until Ctrl-C",
      facts: facts({ sent: 5, received: 5 }, { ending: "interrupted" }),
      last: "Interrupted: this is what had arrived by then.",
    },
  ])("ends its report with a verdict when canaries came $name", ({ facts, last }) => {
    expect(reportText(facts, false).split("\n").at(-1)).toBe(last);
  });

  test("puts a bridge that is not running first among the causes, and a backlog where there is a group", () => {
    expect(likelyCauses(ordered)[0]).toContain('No bridge runs route "connector/to-mqtt"');
    expect(likelyCauses(ordered).join()).toContain('backlog of consumer group "group"');
    expect(likelyCauses(unordered).join()).not.toContain("backlog");
  });

  test("warns of what stays, of what may go missing, and of other routes that carry the canaries", () => {
    const route = kafkaToMqttRoute({ retain: true, qos: 0 });
    const path = canaryPath({ route, topic: "source", lanes: 1, size: 1 });
    expect(warnings(path, [mqttToKafkaRoute({ name: "other" })])).toEqual([
      'route "connector/to-mqtt" retains: the last canary stays as the retained message of MQTT topic "factory/source"',
      "QoS 0 promises no delivery: a canary may be lost",
      'canaries will also take "other", which reads the same topic',
    ]);
    expect(warnings(ordered, [])).toEqual([]);
  });
});
