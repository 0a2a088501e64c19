"""Load for chat servers: one person says lines, the others count what they hear.

    python3 bench/chat_load.py PORT MEMBERS LINES IN_FLIGHT

A line is said when all others have heard the IN_FLIGHT before it. Prints deliveries a second.
"""
import selectors
import socket
import sys
import time

port, members, lines, in_flight = map(int, sys.argv[1:])
people = []
for number in range(members):
    person = socket.create_connection(("127.0.0.1", port))
    person.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    person.sendall(b"n%d\n" % number)
    people.append(person)
selector = selectors.EpollSelector()
heard = [0] * members
for number, person in enumerate(people):
    person.setblocking(False)
    selector.register(person, selectors.EVENT_READ, number)

def listen(timeout, mark):
    ready = selector.select(timeout)
    for key, _ in ready:
        data = key.fileobj.recv(1 << 16)
        if not data:
            sys.exit("somebody was dropped")
        heard[key.data] += data.count(mark)
    return ready

while listen(1, b"\x00"):
    pass  # names, welcomes and joins
line = b"@" + b"x" * 62 + b"\n"
speaker = people[0]
speaker.setblocking(True)
begin = time.perf_counter()
for said in range(in_flight, lines + 1, in_flight):
    speaker.sendall(line * in_flight)
    while min(heard[1:]) < said:
        listen(10, b"@")
print((members - 1) * said / (time.perf_counter() - begin))
