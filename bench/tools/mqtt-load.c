/*
 * A load tool for MQTT 5 that costs next to nothing beside what is measured.
 *   mqtt-load sub PORT TOPIC_FILTER QOS COUNT TIMEOUT_S
 *   mqtt-load pub PORT TOPIC QOS COUNT SIZE WINDOW RATE     (RATE 0: as fast as it goes)
 * Payloads begin with their number in 8 hexadecimal digits, then the time of sending in microseconds in 16. Prints one line of JSON;
 * times are milliseconds since the Unix epoch.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT = 1, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, SUBACK = 9, DISCONNECT = 14 };
enum { STRIPES = 4, BUFFER = 1 << 20 };

static const char *PROPERTIES[3][2] = {
    {"content-type", "application/json"}, {"trace-id", NULL}, {"source", "bench"}};

static uint8_t in[BUFFER * 2], out[BUFFER * 2];
static size_t in_length, out_length;
static int server;

static uint64_t micros(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void die(const char *what) {
  fprintf(stderr, "mqtt-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void flush(void) {
  for (size_t at = 0; at < out_length;) {
    ssize_t n = write(server, out + at, out_length - at);
    if (n <= 0) die("write");
    at += n;
  }
  out_length = 0;
}

static void u8(int value) { out[out_length++] = value; }
static void u16(int value) { u8(value >> 8), u8(value & 255); }
static void bytes(const void *from, size_t n) { memcpy(out + out_length, from, n), out_length += n; }
static void text(const char *string) { u16(strlen(string)), bytes(string, strlen(string)); }

static void variable(size_t value) {
  do {
    int digit = value % 128;
    value /= 128;
    u8(value ? digit | 128 : digit);
  } while (value);
}

static void connect_to(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int one = 1;
  server = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(server, (void *)&address, sizeof address)) die("connect");
  char name[32];
  snprintf(name, sizeof name, "mqtt-load-%d", getpid());
  u8(CONNECT << 4), variable(10 + 1 + 3 + 2 + strlen(name));
  text("MQTT"), u8(5), u8(2), u16(0);
  u8(3), u8(0x21), u16(65535); /* Receive Maximum */
  text(name), flush();
}

/* Reads what there is; 0 after `wait_ms` without anything. */
static int receive(int wait_ms) {
  struct pollfd poller = {server, POLLIN, 0};
  if (poll(&poller, 1, wait_ms) <= 0) return 0;
  ssize_t n = read(server, in + in_length, sizeof in - in_length);
  if (n <= 0) die("connection closed");
  in_length += n;
  return 1;
}

/* The next whole packet from `at` on: sets its type and body, returns where it ends, or 0. */
static size_t packet(size_t at, int *head, uint8_t **body, size_t *length) {
  size_t size = 0, i = at + 1;
  for (int shift = 0;; shift += 7, i++) {
    if (i >= in_length || shift > 21) return 0;
    size |= (size_t)(in[i] & 127) << shift;
    if (!(in[i] & 128)) break;
  }
  if (i + 1 + size > in_length) return 0;
  *head = in[at], *body = in + i + 1, *length = size;
  return i + 1 + size;
}

static void consumed(size_t n) { memmove(in, in + n, in_length - n), in_length -= n; }
static int read16(const uint8_t *at) { return at[0] << 8 | at[1]; }

static size_t read_variable(const uint8_t **at) {
  size_t value = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t digit = *(*at)++;
    value |= (size_t)(digit & 127) << shift;
    if (!(digit & 128)) return value;
  }
}

/* How many of the three user properties are there, with any value. */
static int properties_found(const uint8_t *at, const uint8_t *end) {
  int found = 0;
  while (at < end) {
    int id = *at++;
    if (id == 0x26) {
      for (int i = 0; i < 3; i++)
        if (read16(at) == (int)strlen(PROPERTIES[i][0]) && !memcmp(at + 2, PROPERTIES[i][0], read16(at))) found++;
      at += 2 + read16(at), at += 2 + read16(at);
    } else if (id == 1) at += 1;
    else if (id == 2) at += 4;
    else if (id == 3 || id == 8 || id == 9) at += 2 + read16(at);
    else if (id == 11) read_variable(&at);
    else break;
  }
  return found;
}

static uint64_t hexadecimal(const uint8_t *at, int digits) {
  char copy[17] = {0};
  memcpy(copy, at, digits);
  return strtoull(copy, NULL, 16);
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

struct tally {
  long count, unique, doubled, reordered, whole;
  uint64_t first, last;
  uint8_t *seen;
  uint32_t *latency;
  long newest[STRIPES];
};

static void tally_publish(struct tally *t, const uint8_t *body, size_t length, int qos, long most) {
  const uint8_t *at = body + 2 + read16(body), *end = body + length;
  if (qos) u8(PUBACK << 4), u8(2), u16(read16(at)), at += 2;
  size_t size = read_variable(&at);
  if (properties_found(at, at + size) >= 3) t->whole++;
  at += size;
  uint64_t now = micros();
  if (!t->count++) t->first = now;
  t->last = now;
  if (end - at < 24) return;
  long number = hexadecimal(at, 8);
  uint64_t sent = hexadecimal(at + 8, 16);
  if (number < 0 || number >= most) return;
  if (t->seen[number]) t->doubled++;
  else t->seen[number] = 1, t->latency[t->unique++] = now > sent ? now - sent : 0;
  if (number < t->newest[number % STRIPES]) t->reordered++;
  t->newest[number % STRIPES] = number;
}

static int subscribe(char **arguments) {
  int qos = atoi(arguments[2]);
  long most = atol(arguments[3]);
  uint64_t deadline = micros() + atol(arguments[4]) * 1000000;
  struct tally t = {.seen = calloc(most, 1), .latency = calloc(most, sizeof(uint32_t))};
  memset(t.newest, -1, sizeof t.newest);
  connect_to(atoi(arguments[0]));
  u8(SUBSCRIBE << 4 | 2), variable(2 + 1 + 2 + strlen(arguments[1]) + 1);
  u16(1), u8(0), text(arguments[1]), u8(qos), flush();
  while (t.unique < most && micros() < deadline) {
    if (!receive(200)) continue;
    size_t at = 0, end, length;
    int head;
    uint8_t *body;
    while ((end = packet(at, &head, &body, &length))) {
      if (head >> 4 == SUBACK) fprintf(stderr, "ready\n");
      if (head >> 4 == PUBLISH) tally_publish(&t, body, length, head >> 1 & 3, most);
      if (head >> 4 == DISCONNECT) die("disconnected");
      if (out_length > BUFFER) flush();
      at = end;
    }
    consumed(at), flush();
  }
  qsort(t.latency, t.unique, sizeof(uint32_t), ascending);
  long n = t.unique;
  printf("{\"count\":%ld,\"unique\":%ld,\"doubled\":%ld,\"reordered\":%ld,\"whole\":%ld,\"first\":%.3f,\"last\":%.3f,"
         "\"p50\":%.3f,\"p99\":%.3f}\n",
         t.count, n, t.doubled, t.reordered, t.whole, t.first / 1e3, t.last / 1e3,
         n ? t.latency[n / 2] / 1e3 : 0, n ? t.latency[n * 99 / 100] / 1e3 : 0);
  return t.unique < most;
}

static void publish_one(const char *topic, int qos, long number, int size) {
  char id[17], stamp[17];
  snprintf(id, sizeof id, "%08lx", number);
  snprintf(stamp, sizeof stamp, "%016llx", (unsigned long long)micros());
  size_t properties = 0;
  for (int i = 0; i < 3; i++) properties += 5 + strlen(PROPERTIES[i][0]) + strlen(PROPERTIES[i][1] ? PROPERTIES[i][1] : id);
  u8(PUBLISH << 4 | qos << 1);
  variable(2 + strlen(topic) + (qos ? 2 : 0) + (properties > 127 ? 2 : 1) + properties + size);
  text(topic);
  if (qos) u16(number % 65535 + 1);
  variable(properties);
  for (int i = 0; i < 3; i++) u8(0x26), text(PROPERTIES[i][0]), text(PROPERTIES[i][1] ? PROPERTIES[i][1] : id);
  bytes(id, 8), bytes(stamp, 16);
  memset(out + out_length, 'x', size - 24), out_length += size - 24;
}

static int publish(char **arguments) {
  const char *topic = arguments[1];
  int qos = atoi(arguments[2]), size = atoi(arguments[4]);
  long count = atol(arguments[3]), window = atol(arguments[5]), sent = 0, done = 0;
  double rate = atof(arguments[6]);
  if (size < 24 || window > 60000) return 2;
  connect_to(atoi(arguments[0]));
  while (in_length < 2) receive(1000); /* CONNACK */
  uint64_t start = micros();
  while (done < count) {
    long due = rate > 0 ? (long)((micros() - start) * rate / 1e6) + 1 : count;
    while (sent < count && sent < due && (!qos || sent - done < window)) {
      publish_one(topic, qos, sent++, size);
      if (out_length > 65536) flush();
    }
    flush();
    if (!qos) done = sent;
    int waits = qos && (sent == count || sent - done >= window);
    if (!receive(waits ? 200 : rate > 0 ? 1 : 0)) continue;
    size_t at = 0, end, length;
    int head;
    uint8_t *body;
    while ((end = packet(at, &head, &body, &length))) {
      if (head >> 4 == PUBACK) done++;
      if (head >> 4 == DISCONNECT) die("disconnected");
      at = end;
    }
    consumed(at);
  }
  printf("{\"count\":%ld,\"first\":%.3f,\"last\":%.3f}\n", count, start / 1e3, micros() / 1e3);
  u8(DISCONNECT << 4), u8(0), flush();
  /* until the broker has read it all */
  shutdown(server, SHUT_WR);
  while (read(server, in, sizeof in) > 0);
  return 0;
}

int main(int count, char **arguments) {
  if (count == 7 && !strcmp(arguments[1], "sub")) return subscribe(arguments + 2);
  if (count == 9 && !strcmp(arguments[1], "pub")) return publish(arguments + 2);
  fprintf(stderr, "mqtt-load sub PORT TOPIC_FILTER QOS COUNT TIMEOUT_S | pub PORT TOPIC QOS COUNT SIZE WINDOW RATE\n");
  return 2;
}
