/* One client that floods, or one that asks and waits.
 *
 *   flood_load flood PORT SECONDS   writes empty lines as fast as they are taken, forgets what comes back, and prints how
 *                                   many were taken
 *   flood_load ask PORT SECONDS     sends a line, waits for its answer, pauses 5 ms, and so on; prints each wait in
 *                                   milliseconds, one a line. It waits no longer than 30 s for one
 *
 * Talks to 127.0.0.1 only. Build: cc -O2 -o flood_load flood_load.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int connect_to(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (fd < 0) die("socket");
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static void flood(int port, double seconds) {
  static char lines[65536], sink[1 << 20];
  memset(lines, '\n', sizeof lines);
  int fd = connect_to(port);
  uint64_t taken = 0;
  double begin = seconds_now(), now = begin;
  while ((now = seconds_now()) - begin < seconds) {
    struct pollfd wait = {.fd = fd, .events = POLLIN | POLLOUT};
    if (poll(&wait, 1, 100) < 0) die("poll");
    if (wait.revents & (POLLIN | POLLERR | POLLHUP) && recv(fd, sink, sizeof sink, MSG_DONTWAIT) == 0) break;
    if (wait.revents & POLLOUT) {
      ssize_t n = send(fd, lines, sizeof lines, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) taken += (uint64_t)n;
    }
  }
  printf("{\"lines\": %llu, \"seconds\": %f}\n", (unsigned long long)taken, now - begin);
}

static void ask(int port, double seconds) {
  static const char question[] = "hello\n";
  char answer[sizeof question - 1];
  double begin = seconds_now();
  int fd = connect_to(port);
  struct timeval patience = {.tv_sec = 30};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while (seconds_now() - begin < seconds) {
    double asked = seconds_now();
    if (send(fd, question, sizeof answer, MSG_NOSIGNAL) < 0) die("send");
    for (size_t got = 0; got < sizeof answer;) {
      ssize_t n = recv(fd, answer + got, sizeof answer - got, 0);
      if (n <= 0) break; /* it is written down as the wait it was */
      got += (size_t)n;
    }
    printf("%f\n", (seconds_now() - asked) * 1000);
    usleep(5000);
  }
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "flood") == 0) flood(atoi(argv[2]), atof(argv[3]));
  else if (argc == 4 && strcmp(argv[1], "ask") == 0) ask(atoi(argv[2]), atof(argv[3]));
  else return 2;
  return 0;
}
