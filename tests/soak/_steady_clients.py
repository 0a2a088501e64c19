"""Clients that behave: each asks, waits for its answer and checks it.

    _steady_clients.py PORT CONTROL_PORT SECONDS

It prints how many messages were exchanged, the waiting times of the server and of an idle control
beside it in milliseconds (median and most), and what was lost or doubled, as JSON.
"""
import json, socket, sys, time

port, control, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])


def fail(wrong):
    print(json.dumps({"wrong": wrong}))
    raise SystemExit


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 15)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.number = 0

    def ask(self, count):
        """Sends so many messages at once; their answers have to come in order, each once."""
        numbers = range(self.number, self.number + count)
        self.number += count
        begin = time.monotonic()
        self.socket.sendall(b"".join(b"message %d\n" % n for n in numbers))
        for n in numbers:
            line = self.file.readline()
            if line != b"message %d\n" % n:
                fail("%r instead of message %d" % (line, n))
        return (time.monotonic() - begin) * 1000


def summary(times):
    times.sort()
    return {"median": times[len(times) // 2], "most": times[-1]}


clients = [Client(port) for _ in range(5)]
idle = Client(control)
until = time.monotonic() + seconds
waits, controls, messages, turn = [], [], 0, 0
while time.monotonic() < until:
    count = 20 if turn % 10 == 9 else 1
    controls.append(idle.ask(count))
    waits.append(clients[turn % 5].ask(count))
    messages += count
    turn += 1
    time.sleep(0.005)
for client in clients:
    client.socket.shutdown(socket.SHUT_WR)
    if client.file.read() != b"":
        fail("something after the last answer")
print(json.dumps({"messages": messages, "waits": summary(waits), "controls": summary(controls)}))
