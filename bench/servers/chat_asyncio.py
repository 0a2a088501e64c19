# A chat as Python's documentation of asyncio streams teaches it: names, lines, no limits.
import asyncio

people = {}

async def serve(reader, writer):
    name = (await reader.readline()).decode().strip()
    people[name] = writer
    while line := await reader.readline():
        said = f"<{name}> {line.decode()}".encode()
        for other, their in people.items():
            if other != name:
                their.write(said)
    del people[name]
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
