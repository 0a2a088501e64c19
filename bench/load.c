/* Load from outside: a client that costs less than the servers it measures.
 *
 *   load echo PORT CONNECTIONS BYTES IN_FLIGHT SECONDS   messages that come back, one JSON line
 *   load hold PORT CONNECTIONS                           opens connections, says one line on each, keeps them until
 *                                                        its own input ends
 *
 * A message is BYTES bytes with a newline as the last, so that line-framed servers can be measured too. Talks to 127.0.0.1
 * only. Build: cc -O2 -o load load.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct peer {
  int fd;
  size_t unsent;    /* bytes of the current burst still to send */
  size_t awaited;   /* bytes of it still to come back */
  uint64_t served;  /* messages that came back */
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int connect_to(int port, int index) {
  /* Past 20,000 connections one target address would run out of source ports. */
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index / 20000))};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (fd < 0) die("socket");
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* Sends what is left of the burst; 1 if the socket is full before its end. */
static int push(struct peer *peer, const char *burst, size_t length) {
  while (peer->unsent > 0) {
    ssize_t n = send(peer->fd, burst + (length - peer->unsent), peer->unsent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 1;
    if (n < 0) die("send");
    peer->unsent -= (size_t)n;
  }
  return 0;
}

static void watch(int epoll, int how, struct peer *peer, int full) {
  struct epoll_event event = {.events = EPOLLIN | (full ? EPOLLOUT : 0), .data.ptr = peer};
  if (epoll_ctl(epoll, how, peer->fd, &event) != 0) die("epoll_ctl");
}

static int echo(int port, int connections, size_t bytes, size_t in_flight, double seconds) {
  size_t length = bytes * in_flight;
  char *burst = malloc(length), *sink = malloc(1 << 20);
  struct peer *peers = calloc((size_t)connections, sizeof *peers);
  int epoll = epoll_create1(0);
  memset(burst, 'x', length);
  for (size_t end = bytes; end <= length; end += bytes) burst[end - 1] = '\n';
  for (int i = 0; i < connections; i++) {
    peers[i] = (struct peer){.fd = connect_to(port, i), .unsent = length, .awaited = length};
    watch(epoll, EPOLL_CTL_ADD, &peers[i], 0);
  }
  double start = seconds_now(), now = start;
  for (int i = 0; i < connections; i++)
    if (push(&peers[i], burst, length)) watch(epoll, EPOLL_CTL_MOD, &peers[i], 1);
  struct epoll_event ready[512];
  while ((now = seconds_now()) < start + seconds) {
    int count = epoll_wait(epoll, ready, 512, 50);
    for (int i = 0; i < count; i++) {
      struct peer *peer = ready[i].data.ptr;
      if (ready[i].events & EPOLLOUT && !push(peer, burst, length)) watch(epoll, EPOLL_CTL_MOD, peer, 0);
      if (!(ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      ssize_t n = recv(peer->fd, sink, 1 << 20, MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) continue;
      if (n < 0) die("recv");
      if (n == 0) {
        fprintf(stderr, "the server closed a connection\n");
        return 1;
      }
      peer->awaited -= (size_t)n;
      if (peer->awaited > 0) continue;
      peer->served += in_flight;
      peer->unsent = peer->awaited = length;
      if (push(peer, burst, length)) watch(epoll, EPOLL_CTL_MOD, peer, 1);
    }
  }
  uint64_t total = 0, least = UINT64_MAX, most = 0;
  for (int i = 0; i < connections; i++) {
    total += peers[i].served;
    if (peers[i].served < least) least = peers[i].served;
    if (peers[i].served > most) most = peers[i].served;
  }
  printf("{\"messages\":%llu,\"seconds\":%.3f,\"least\":%llu,\"most\":%llu}\n", (unsigned long long)total, now - start,
         (unsigned long long)least, (unsigned long long)most);
  return 0;
}

static int hold(int port, int connections) {
  char answer[64];
  for (int i = 0; i < connections; i++) {
    int fd = connect_to(port, i);
    if (write(fd, "hello\n", 6) != 6 || read(fd, answer, sizeof answer) <= 0) die("hello");
  }
  printf("{\"open\":%d}\n", connections);
  fflush(stdout);
  while (read(0, answer, sizeof answer) > 0) {
  }
  return 0;
}

int main(int count, char **words) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (count == 7 && strcmp(words[1], "echo") == 0)
    return echo(atoi(words[2]), atoi(words[3]), (size_t)atol(words[4]), (size_t)atol(words[5]), atof(words[6]));
  if (count == 4 && strcmp(words[1], "hold") == 0) return hold(atoi(words[2]), atoi(words[3]));
  fprintf(stderr, "usage: load echo PORT CONNECTIONS BYTES IN_FLIGHT SECONDS | load hold PORT CONNECTIONS\n");
  return 2;
}
