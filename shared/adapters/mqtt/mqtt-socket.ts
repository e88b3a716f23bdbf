import { connect as connectTcp, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { streamBuilder as webSocketStream } from "mqtt/lib/connect/ws";
import { BridgeError } from "../../errors.ts";
import type { MqttEndpoint, TlsMaterial } from "../../model/endpoint.ts";
import { networkVerdict, tlsProblem } from "../../network-errors.ts";

/** The path of MQTT over WebSockets that brokers agree on. */
const WEB_SOCKET_PATH = "/mqtt";

/** `mqtts://host:port`, for people. */
export function endpointUrl(endpoint: MqttEndpoint): string {
  const scheme = endpoint.protocol === "WebSockets" ? "ws" : "mqtt";
  return `${scheme}${endpoint.tls === undefined ? "" : "s"}://${endpoint.host}:${endpoint.port}`;
}

/**
 * Begins to open TCP, TLS or a WebSocket; bytes written meanwhile go out once it is open. Certificates and host names are always verified.
 * @throws BridgeError SECRET_INVALID when the certificates or the key cannot be read.
 */
export function openSocket(endpoint: MqttEndpoint): Duplex {
  const { host, port, tls } = endpoint;
  try {
    if (endpoint.protocol === "WebSockets") return openWebSocket(endpoint);
    const socket =
      tls === undefined
        ? connectTcp({ host, port })
        : connectTls({ host, port, ...verified(host, tls) });
    // Writes are gathered here already: Nagle's algorithm would only add the peer's delayed acknowledgements to each turn.
    socket.setNoDelay(true);
    return socket;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BridgeError(
      "SECRET_INVALID",
      `Cannot prepare the TLS connection to "${endpointUrl(endpoint)}": ${text}`,
      { cause },
    );
  }
}

function openWebSocket(endpoint: MqttEndpoint): Duplex {
  const { host, port, tls } = endpoint;
  const options = {
    protocol: tls === undefined ? ("ws" as const) : ("wss" as const),
    protocolId: "MQTT" as const,
    protocolVersion: 5 as const,
    hostname: isIP(host) === 6 ? `[${host}]` : host,
    port,
    path: WEB_SOCKET_PATH,
    wsOptions: { perMessageDeflate: false, ...(tls === undefined ? {} : verified(host, tls)) },
  };
  // The builder's first parameter is only passed on to a hook that is not set here.
  return webSocketStream(undefined as never, options) as Duplex;
}

function verified(host: string, tls: TlsMaterial): ConnectionOptions {
  return {
    // said here, for options and variables of Node may ask for less
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

const WEB_SOCKET_REFUSAL = /^Unexpected server response: (\d{3})$/u;

const HUNG_UP =
  /^(?:the connection was closed by the other side|read ECONNRESET|write EPIPE|socket hang up|Client network socket disconnected .*|Parse Error: .*)$/su;

/** A listener that is spoken to in a way that it does not know hangs up without a word, or with bytes of its own kind. */
function hint({ tls, protocol }: MqttEndpoint): string {
  const ways = [
    tls === undefined ? "ask for TLS" : "not speak TLS",
    ...(protocol === "WebSockets" ? ["not speak WebSocket"] : []),
  ];
  return ` (the listener may ${ways.join(" or ")})`;
}

/**
 * What an error of the socket means: that TLS or the WebSocket was refused does not pass by waiting, anything else may. `opening` is what was
 * being connected to, while the server had not answered yet.
 */
export function socketError(cause: Error, doing: string, opening?: MqttEndpoint): BridgeError {
  const { code } = cause as NodeJS.ErrnoException;
  const status = Number(WEB_SOCKET_REFUSAL.exec(cause.message)?.[1] ?? 0);
  const untrusted = code !== undefined && networkVerdict(code) === "stop";
  if (untrusted || status === 401 || status === 403) {
    const what = untrusted ? tlsProblem(code, cause.message) : `HTTP status ${status}`;
    return new BridgeError("MQTT_AUTHENTICATION_FAILED", `${doing}: ${what}`, { cause });
  }
  const retryable = status < 400 || status >= 500;
  const said = cause.message || code || "no reason given";
  const what = opening !== undefined && HUNG_UP.test(said) ? said + hint(opening) : said;
  return new BridgeError("MQTT_UNAVAILABLE", `${doing}: ${what}`, { cause, retryable });
}
