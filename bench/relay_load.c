/* What stands on both sides of a relay when it is measured.
 *
 *   relay_load echo                     an echo server; prints its port, serves until it is killed
 *   relay_load sink                     reads to the end and answers how much it was; the same
 *   relay_load bulk PORT MEBIBYTES      sends so much, checks the answer, prints one JSON line
 *
 * On 127.0.0.1 only. Build: cc -O2 -o relay_load relay_load.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int serve(void) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof here;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || listen(fd, 4096) != 0) die("listen");
  getsockname(fd, (struct sockaddr *)&here, &length);
  printf("%d\n", ntohs(here.sin_port));
  fflush(stdout);
  return fd;
}

static void echo(void) {
  int listener = serve(), epoll = epoll_create1(0), on = 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(epoll, ready, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) {
        struct epoll_event guest = {.events = EPOLLIN, .data.fd = accept(listener, NULL, NULL)};
        if (guest.data.fd < 0) continue;
        setsockopt(guest.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll, EPOLL_CTL_ADD, guest.data.fd, &guest);
        continue;
      }
      ssize_t n = read(fd, buffer, sizeof buffer);
      if (n <= 0) close(fd);
      else if (send(fd, buffer, (size_t)n, MSG_NOSIGNAL) != n) close(fd);
    }
  }
}

static void sink(void) {
  int listener = serve();
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    uint64_t total = 0;
    ssize_t n;
    if (fd < 0) continue;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) total += (uint64_t)n;
    if (write(fd, &total, sizeof total) != sizeof total) perror("answer");
    close(fd);
  }
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int bulk(int port, uint64_t mebibytes) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  uint64_t total = mebibytes << 20, sent = 0, answer = 0;
  for (size_t i = 0; i < sizeof buffer; i++) buffer[i] = (char)(i * 31 + (i >> 8));
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  double start = seconds_now();
  while (sent < total) {
    size_t left = total - sent < sizeof buffer ? (size_t)(total - sent) : sizeof buffer;
    ssize_t n = send(fd, buffer, left, MSG_NOSIGNAL);
    if (n <= 0) die("send");
    sent += (uint64_t)n;
  }
  shutdown(fd, SHUT_WR);
  if (recv(fd, &answer, sizeof answer, MSG_WAITALL) != sizeof answer) die("answer");
  double took = seconds_now() - start;
  if (answer != total) {
    fprintf(stderr, "%llu of %llu bytes arrived\n", (unsigned long long)answer, (unsigned long long)total);
    return 1;
  }
  printf("{\"bytes\":%llu,\"seconds\":%.6f}\n", (unsigned long long)total, took);
  return 0;
}

int main(int count, char **words) {
  signal(SIGPIPE, SIG_IGN);
  if (count == 2 && strcmp(words[1], "echo") == 0) echo();
  if (count == 2 && strcmp(words[1], "sink") == 0) sink();
  if (count == 4 && strcmp(words[1], "bulk") == 0) return bulk(atoi(words[2]), strtoull(words[3], NULL, 10));
  fprintf(stderr, "usage: relay_load echo | sink | bulk PORT MEBIBYTES\n");
  return 2;
}
