"""A bad network between two network namespaces, for machines without tc's netem.

    _lossy_link.py NAMESPACE_A NAMESPACE_B

Makes a TUN interface in each (10.77.0.1 and 10.77.0.2) and carries packets between them: each
direction loses 30 %, doubles 10 %, delays by 50 ms, and lets one in four overtake the others.
Prints "ready", runs until its input ends, then prints how many packets it lost, doubled and carried.
"""
import fcntl, heapq, os, random, select, struct, subprocess, sys, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LOSS, DOUBLE, OVERTAKE, DELAY = 0.30, 0.10, 0.25, 0.050


def attach(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def ip(*args):
    subprocess.run(["ip", *args], check=True)


chance = random.Random(4)
ends = []
for number, namespace in enumerate(sys.argv[1:3], 1):
    name = f"lossy{os.getpid() % 10000}{number}"
    ends.append(attach(name))  # made here, moved there: the descriptor stays with it
    ip("link", "set", name, "netns", namespace)
    ip("-n", namespace, "addr", "add", f"10.77.0.{number}", "peer", f"10.77.0.{3 - number}", "dev", name)
    ip("-n", namespace, "link", "set", name, "up")
    ip("-n", namespace, "link", "set", "lo", "up")
print("ready", flush=True)

waiting, order = [], 0
lost = doubled = carried = 0
other = {ends[0]: ends[1], ends[1]: ends[0]}
while True:
    timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    readable, _, _ = select.select([*ends, sys.stdin], [], [], timeout)
    if sys.stdin in readable:
        break
    now = time.monotonic()
    for end in readable:
        while True:
            try:
                packet = os.read(end, 65536)
            except BlockingIOError:
                break
            if packet[0] >> 4 != 4:
                continue
            if chance.random() < LOSS:
                lost += 1
                continue
            copies = 2 if chance.random() < DOUBLE else 1
            doubled += copies - 1
            for _ in range(copies):
                delay = 0.01 if chance.random() < OVERTAKE else DELAY
                order += 1
                heapq.heappush(waiting, (now + delay, order, other[end], packet))
    while waiting and waiting[0][0] <= time.monotonic():
        _, _, end, packet = heapq.heappop(waiting)
        carried += 1
        try:
            os.write(end, packet)
        except OSError:
            pass
print(f"lost {lost} doubled {doubled} carried {carried}", flush=True)
