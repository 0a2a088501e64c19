#!/usr/bin/env python3
"""Load for UDP echo servers, with the arguments and the output of `load echo`.

    udp_load.py echo PORT SOCKETS BYTES IN_FLIGHT SECONDS

Every socket keeps IN_FLIGHT datagrams under way to 127.0.0.1:PORT; after 0.2 s of silence all are sent anew.
"""
import json, select, socket, sys, time

_, _, port, sockets, size, window, seconds = sys.argv
size, window, data = int(size), int(window), b"a" * int(size)
epoll, peers = select.epoll(), {}
for _ in range(int(sockets)):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    peer.connect(("127.0.0.1", int(port)))
    epoll.register(peer, select.EPOLLIN)
    peers[peer.fileno()] = (peer.recv_into, peer.send)
room = bytearray(65536)
served = dict.fromkeys(peers, 0)


def fill():
    for _, send in peers.values():
        for _ in range(window):
            send(data)


fill()
start = last = time.monotonic()
end = start + float(seconds)
while True:
    events = epoll.poll(0.05)
    now = time.monotonic()
    if now >= end:
        break
    if events:
        last = now
    elif now - last > 0.2:
        fill()
        last = now
    for fd, _ in events:
        receive, send = peers[fd]
        count = 0
        try:
            while count < window:
                if receive(room) == size:
                    count += 1
                send(data)
        except BlockingIOError:
            pass
        except ConnectionRefusedError:
            sys.exit("nobody listens")
        served[fd] += count
print(json.dumps({
    "messages": sum(served.values()),
    "seconds": time.monotonic() - start,
    "least": min(served.values()),
    "most": max(served.values()),
}))
