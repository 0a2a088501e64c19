/**
 * Ports as people write them.
 *
 * @module
 */
import { servicePort, WELL_KNOWN_PORTS } from "./services.ts";

const HIGHEST_PORT = 65_535;

/**
 * The ports that are scanned unless specified: 1 to 1024, which only the system's own services
 * may use, and the higher ports that `serviceName` knows.
 *
 * @returns The ports in ascending order.
 */
export function defaultPorts(): number[] {
  return checkPorts([...parsePorts("-1024"), ...WELL_KNOWN_PORTS]);
}

/**
 * Reads a list of ports.
 *
 * Parts are separated by commas: a port (`22`), a range (`8000-8100`), a range that is open at one end
 * (`60000-`, `-1024`), `-` for all ports, or the name of a service that `serviceName` knows
 * (`ssh`).
 *
 * @param text The list.
 * @returns The ports in ascending order, each once.
 * @throws {TypeError} If a part is none of these.
 * @throws {RangeError} If a port is not from 1 to 65535, or a range runs backwards.
 */
export function parsePorts(text: string): number[] {
  const wanted = new Uint8Array(HIGHEST_PORT + 1);
  for (const part of text.split(",")) {
    const [low, high] = parseRange(part.trim());
    wanted.fill(1, low, high + 1);
  }
  return listOf(wanted);
}

/** Ascending, each once. */
export function checkPorts(ports: readonly number[]): number[] {
  const wanted = new Uint8Array(HIGHEST_PORT + 1);
  for (const port of ports) wanted[checkPort(port, String(port))] = 1;
  return listOf(wanted);
}

function listOf(wanted: Uint8Array): number[] {
  const ports: number[] = [];
  for (let port = wanted.indexOf(1); port > 0; port = wanted.indexOf(1, port + 1)) ports.push(port);
  return ports;
}

function parseRange(part: string): [number, number] {
  const range = /^(\d*)-(\d*)$/.exec(part);
  if (range !== null) {
    const low = checkPort(range[1] === "" ? 1 : Number(range[1]), part);
    const high = checkPort(range[2] === "" ? HIGHEST_PORT : Number(range[2]), part);
    if (low > high) {
      throw new RangeError(`Cannot use the ports "${part}": the range runs backwards`);
    }
    return [low, high];
  }
  const port = /^\d+$/.test(part) ? checkPort(Number(part), part) : servicePort(part);
  if (port === undefined) {
    throw new TypeError(
      `Cannot use the ports "${part}": expected a port, a range such as 8000-8100, - for all, ` +
        `or the name of a service`,
    );
  }
  return [port, port];
}

function checkPort(port: number, part: string): number {
  if (!Number.isInteger(port) || port < 1 || port > HIGHEST_PORT) {
    throw new RangeError(`Cannot use the ports "${part}": ports are whole numbers from 1 to 65535`);
  }
  return port;
}
