"""Clients of every kind, many at a time, against a server that echoes lines.

    _mixed_clients.py PORT SECONDS SEED WORKERS

Each worker plays one role after the other. Those that behave check what they get. It prints
"playing" when all workers are there, and at last how often each role was played, as JSON; what a
client that behaves has missed is in "wrong".
"""
import asyncio, json, random, socket, struct, sys, time

port, seconds, seed, workers = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
until = time.monotonic() + seconds
counts, wrong = {}, []


async def connect():
    reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 10)
    return reader, writer


def reset(writer):
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def forget(reader):
    while await reader.read(1 << 16):
        pass


async def half_closer():
    """Sends so many lines, ends its side, and gets all of them back, in order, and then the end."""
    reader, writer = await connect()
    lines = b"".join(b"%d of %d\n" % (i, chance.randrange(10**9)) for i in range(chance.randrange(1, 300)))
    writer.write(lines)
    writer.write_eof()
    got = await asyncio.wait_for(reader.read(-1), 20)
    if got != lines:
        wrong.append("a half-closer sent %d bytes and got %d" % (len(lines), len(got)))
    writer.close()


async def flood():
    """Writes empty lines as fast as it can, for a moment, and reads what comes back."""
    reader, writer = await connect()
    reading = asyncio.ensure_future(forget(reader))
    end = min(until, time.monotonic() + chance.uniform(0.2, 2))
    unit = chance.choice([b"\n", b"x\n", b"\xff\n", b"\r\n"])
    try:
        while time.monotonic() < end:
            writer.write(unit * 20000)
            await asyncio.wait_for(writer.drain(), 5)
    finally:
        reading.cancel()
        reset(writer) if chance.random() < 0.5 else writer.close()


async def resetter():
    """Goes in the middle of everything."""
    _, writer = await connect()
    writer.write(b"hello\n" * chance.randrange(0, 2000) + b"and half a l")
    if chance.random() < 0.5:
        await asyncio.sleep(chance.uniform(0, 0.02))
    reset(writer)


async def slow_reader():
    """Writes and never reads, until the server gives up on it."""
    reader, writer = await connect()
    reader._transport.pause_reading()
    try:
        while time.monotonic() < until:
            writer.write(b"never read\n" * 4000)
            await asyncio.wait_for(writer.drain(), 4)
    except asyncio.TimeoutError:
        pass
    finally:
        reset(writer)


async def silent():
    """Says nothing, until the server ends it."""
    reader, writer = await connect()
    await asyncio.wait_for(reader.read(1), max(0.1, min(6, until - time.monotonic())))
    writer.close()


async def slow_loris():
    """A byte now and then, and never a whole line."""
    _, writer = await connect()
    end = min(until, time.monotonic() + 5)
    while time.monotonic() < end:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)
    writer.close()


async def too_long():
    """A line longer than the server takes."""
    reader, writer = await connect()
    writer.write(b"x" * 100000)
    await asyncio.wait_for(forget(reader), 5)
    writer.close()


ROLES = [half_closer, half_closer, flood, resetter, resetter, slow_reader, silent, slow_loris, too_long]


async def worker():
    while time.monotonic() < until:
        role = chance.choice(ROLES)
        try:
            await role()
        except (OSError, asyncio.TimeoutError) as error:
            if role is half_closer:
                wrong.append("a half-closer: %r" % error)
        counts[role.__name__] = counts.get(role.__name__, 0) + 1


async def main():
    running = [asyncio.ensure_future(worker()) for _ in range(workers)]
    print("playing", flush=True)
    await asyncio.gather(*running)
    print(json.dumps({"counts": counts, "wrong": wrong[:5]}), flush=True)


asyncio.run(main())
