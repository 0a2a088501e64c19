/* Load for UDP echo servers, with the arguments and the output of `load echo`.
 *
 *   udp_load echo PORT SOCKETS BYTES IN_FLIGHT SECONDS
 *
 * Every socket keeps IN_FLIGHT datagrams under way to 127.0.0.1:PORT: each that comes back is sent again at once. What got
 * lost is made up for after 0.2 s without an answer on that socket. Build: cc -O2 -o udp_load udp_load.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define SILENCE 0.2

struct peer {
  int fd;
  double heard;    /* when something came last, or was sent anew */
  uint64_t served; /* datagrams that came back */
};

static char data[65536], room[65536];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fill(struct peer *peer, size_t bytes, int window, double now) {
  for (int i = 0; i < window; i++) {
    if (send(peer->fd, data, bytes, 0) < 0 && errno != EAGAIN) die("send");
  }
  peer->heard = now;
}

int main(int argc, char **argv) {
  if (argc != 7 || strcmp(argv[1], "echo") != 0) {
    fprintf(stderr, "usage: %s echo PORT SOCKETS BYTES IN_FLIGHT SECONDS\n", argv[0]);
    return 2;
  }
  int port = atoi(argv[2]), sockets = atoi(argv[3]), window = atoi(argv[5]);
  size_t bytes = (size_t)atol(argv[4]);
  if (port < 1 || port > 65535 || sockets < 1 || bytes < 1 || bytes > 65507 || window < 1) {
    fprintf(stderr, "out of range\n");
    return 2;
  }
  memset(data, 'a', bytes);
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct peer *peers = calloc((size_t)sockets, sizeof *peers);
  int poll = epoll_create1(0);
  if (peers == NULL || poll < 0) die("begin");
  double start = seconds_now(), end = start + atof(argv[6]), now = start;
  for (int i = 0; i < sockets; i++) {
    struct peer *peer = &peers[i];
    peer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (peer->fd < 0 || connect(peer->fd, (struct sockaddr *)&to, sizeof to) != 0) die("socket");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, peer->fd, &event) != 0) die("epoll");
    fill(peer, bytes, window, start);
  }
  while (now < end) {
    struct epoll_event events[64];
    int ready = epoll_wait(poll, events, 64, 50);
    if (ready < 0) die("epoll");
    now = seconds_now();
    for (int i = 0; i < ready; i++) {
      struct peer *peer = events[i].data.ptr;
      for (int count = 0; count < window; count++) {
        ssize_t n = recv(peer->fd, room, sizeof room, 0);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) die("recv");
        peer->heard = now;
        if ((size_t)n == bytes) peer->served++;
        if (send(peer->fd, data, bytes, 0) < 0 && errno != EAGAIN) die("send");
      }
    }
    for (int i = 0; i < sockets; i++) {
      if (now - peers[i].heard > SILENCE) fill(&peers[i], bytes, window, now);
    }
  }
  uint64_t all = 0, least = UINT64_MAX, most = 0;
  for (int i = 0; i < sockets; i++) {
    all += peers[i].served;
    if (peers[i].served < least) least = peers[i].served;
    if (peers[i].served > most) most = peers[i].served;
  }
  printf("{\"messages\":%llu,\"seconds\":%.6f,\"least\":%llu,\"most\":%llu}\n", (unsigned long long)all, now - start,
         (unsigned long long)least, (unsigned long long)most);
  return 0;
}
