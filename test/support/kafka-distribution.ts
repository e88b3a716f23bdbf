import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "./programs.ts";

const KAFKA_VERSION = "4.3.1";
const LOG4J_VERSION = "2.25.3";
/** What a Kafka 4 broker asks for. */
const JAVA_VERSION = 17;

const run = promisify(execFile);

/** What it takes to start a Kafka broker here, or why that cannot be had. */
export type KafkaDistribution =
  | { readonly java: string; readonly classPath: string }
  | { readonly missing: string };

/** Finds Java and the broker's jars; what is not in the cache is fetched by Maven from its registry. */
export async function kafkaDistribution(): Promise<KafkaDistribution> {
  const java = findProgram("java");
  if (java === undefined) return { missing: "java is not on PATH" };
  const version = await javaVersion(java);
  if (version < JAVA_VERSION) {
    return { missing: `Kafka 4 needs Java ${JAVA_VERSION} or newer: found ${version}` };
  }
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "isthmus", "kafka", KAFKA_VERSION);
  if (!existsSync(folder)) {
    const problem = await fetchJars(folder);
    if (problem !== undefined) return { missing: problem };
  }
  return { java, classPath: join(folder, "*") };
}

async function javaVersion(java: string): Promise<number> {
  try {
    const { stderr } = await run(java, ["-version"]);
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  } catch {
    // macOS has a java that only says where to buy one
    return 0;
  }
}

/** Says what went wrong, or nothing when the jars are in `folder`. */
async function fetchJars(folder: string): Promise<string | undefined> {
  const maven = findProgram("mvn");
  if (maven === undefined) {
    return `mvn (Maven) is not on PATH and Kafka ${KAFKA_VERSION} is not in ${folder}`;
  }
  await mkdir(dirname(folder), { recursive: true });
  // beside its final place and renamed when whole: an interrupted or a second run never sees half of it
  const unfinished = await mkdtemp(`${folder}.`);
  try {
    const pom = join(unfinished, "pom.xml");
    const jars = join(unfinished, "jars");
    await writeFile(pom, POM);
    await run(maven, [
      ...["--quiet", "--batch-mode", "--file", pom],
      ...["dependency:copy-dependencies", `-DoutputDirectory=${jars}`],
    ]);
    await rename(jars, folder);
    return undefined;
  } catch (error) {
    if (existsSync(folder)) return undefined;
    const { stdout, message } = error as { stdout?: string; message: string };
    const line = stdout?.split("\n").find((text) => text.startsWith("[ERROR]")) ?? message;
    return `Maven could not fetch Kafka ${KAFKA_VERSION}: ${line.replace("[ERROR] ", "")}`;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** kafka-tools-api serves the command line tools only, and is not always published with the rest. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.isthmus</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
      <exclusions>
        <exclusion>
          <groupId>org.apache.kafka</groupId>
          <artifactId>kafka-tools-api</artifactId>
        </exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>${LOG4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;
