import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePorts } from "./free-ports.ts";
import { type GuardedProcess, startGuarded } from "./guarded-process.ts";
import { findProgram } from "./programs.ts";

export const MQTT_USER = "bridge";
export const MQTT_PASSWORD = "bridge-secret";

/** URL of each listener; those with TLS only when there are certificates. */
export interface MosquittoAddresses {
  readonly plain: string;
  /** Asks for user name and password. */
  readonly password: string;
  readonly webSockets: string;
  /** Takes anybody, but no wrong password; so does the next. */
  readonly tls?: string;
  readonly webSocketsTls?: string;
  readonly mtls?: string;
}

/** A real Eclipse Mosquitto broker that keeps sessions, retained and queued messages over a restart. */
export interface MosquittoBroker {
  readonly addresses: MosquittoAddresses;
  /** Stops it and keeps its data and ports. */
  stop(): Promise<void>;
  /** The same without warning: what it had not written to disk is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Other `lines` from the next start on. */
  configure(lines: readonly string[]): Promise<void>;
  /** Makes it read its access rules again. */
  reload(): void;
  /** Stops it for good and removes its data. */
  dispose(): Promise<void>;
}

export interface MosquittoOptions {
  /** Folder that `makeBrokerCertificates` filled. */
  readonly certificates?: string;
  /** More global lines of mosquitto.conf. */
  readonly lines?: readonly string[];
}

const START_TIMEOUT_MS = 20_000;
const READY = /mosquitto version \S+ running/;

/** Starts a broker on free ports of 127.0.0.1, or says why that is not possible here. */
export async function startMosquitto(
  options: MosquittoOptions = {},
): Promise<MosquittoBroker | { readonly missing: string }> {
  const program = findProgram("mosquitto");
  const passwordTool = findProgram("mosquitto_passwd");
  if (program === undefined) return { missing: "mosquitto is not on PATH" };
  if (passwordTool === undefined) return { missing: "mosquitto_passwd is not on PATH" };
  const folder = await mkdtemp(join(tmpdir(), "isthmus-mosquitto-"));
  const [plain = 0, password = 0, webSockets = 0, tls = 0, webSocketsTls = 0, mtls = 0] =
    await freePorts(6);
  const ports = { plain, password, webSockets, tls, webSocketsTls, mtls };
  execFileSync(passwordTool, ["-b", "-c", join(folder, "passwords"), MQTT_USER, MQTT_PASSWORD]);
  const configuration = join(folder, "mosquitto.conf");
  const configure = (lines: readonly string[]): Promise<void> =>
    writeFile(configuration, configurationText(folder, ports, { ...options, lines }));
  await configure(options.lines ?? []);

  let server: GuardedProcess | undefined;
  const start = async (): Promise<void> => {
    server = await startGuarded({
      name: "Mosquitto",
      program,
      args: ["-c", configuration],
      ready: READY,
      readyTimeoutMs: START_TIMEOUT_MS,
    });
  };
  const dispose = async (): Promise<void> => {
    await server?.end("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return {
    addresses: {
      plain: `mqtt://127.0.0.1:${plain}`,
      password: `mqtt://127.0.0.1:${password}`,
      webSockets: `ws://127.0.0.1:${webSockets}`,
      ...(options.certificates === undefined
        ? {}
        : {
            tls: `mqtts://127.0.0.1:${tls}`,
            webSocketsTls: `wss://127.0.0.1:${webSocketsTls}`,
            mtls: `mqtts://127.0.0.1:${mtls}`,
          }),
    },
    start,
    stop: async () => server?.end("SIGTERM"),
    kill: async () => server?.end("SIGKILL"),
    configure,
    reload: () => {
      if (server !== undefined) process.kill(server.pid, "SIGHUP");
    },
    dispose,
  };
}

interface Ports {
  readonly plain: number;
  readonly password: number;
  readonly webSockets: number;
  readonly tls: number;
  readonly webSocketsTls: number;
  readonly mtls: number;
}

function configurationText(folder: string, ports: Ports, options: MosquittoOptions): string {
  const { certificates } = options;
  return [
    // started as root it would become a user who may not write into our folder
    `user ${userInfo().username}`,
    "per_listener_settings true",
    "persistence true",
    `persistence_location ${folder}/`,
    // its standard output is buffered
    "log_dest stderr",
    "log_type error",
    "log_type warning",
    "log_type notice",
    "log_type information",
    "connection_messages false",
    // nothing is dropped by the broker, so that what is lost was lost by the bridge
    "max_queued_messages 0",
    "max_inflight_messages 0",
    "set_tcp_nodelay true",
    ...(options.lines ?? []),
    ...[`listener ${ports.plain} 127.0.0.1`, "allow_anonymous true"],
    ...[`listener ${ports.password} 127.0.0.1`, "allow_anonymous false"],
    `password_file ${join(folder, "passwords")}`,
    ...[`listener ${ports.webSockets} 127.0.0.1`, "protocol websockets", "allow_anonymous true"],
    ...(certificates === undefined ? [] : tlsLines(ports, certificates, folder)),
    "",
  ].join("\n");
}

function tlsLines(ports: Ports, certificates: string, folder: string): string[] {
  const server = [
    `cafile ${join(certificates, "ca.crt")}`,
    `certfile ${join(certificates, "server.crt")}`,
    `keyfile ${join(certificates, "server.key")}`,
  ];
  const users = ["allow_anonymous true", `password_file ${join(folder, "passwords")}`];
  return [
    ...[`listener ${ports.tls} 127.0.0.1`, ...users, ...server],
    ...[`listener ${ports.webSocketsTls} 127.0.0.1`, "protocol websockets", ...users, ...server],
    ...[`listener ${ports.mtls} 127.0.0.1`, ...server],
    ...["require_certificate true", "use_identity_as_username true"],
  ];
}
