/**
 * A program at a terminal: Python's `pty` gives it a real one, and what it draws is kept as the rows
 * that a person would see.
 */

/** Runs the command at a pseudo-terminal, passes everything on, and tells at last how it ended. */
const BRIDGE = `
import fcntl, os, pty, select, signal, struct, sys, termios
columns = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
sources = [0, fd]
while fd in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if not data:
            sources.remove(source)
        elif source == 0:
            os.write(fd, data)
        else:
            os.write(1, data)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
cooked = termios.tcgetattr(fd)[3]
sane = bool(cooked & termios.ECHO) and bool(cooked & termios.ICANON)
os.write(2, ("%d %s" % (code, sane)).encode())
`;

/** How a program at a terminal ended. */
export interface TerminalEnd {
  /** The exit code; negative for a signal. */
  code: number;
  /** Whether the terminal echoes and edits lines again, as before. */
  restored: boolean;
}

/** How long a screen that is never right is waited for, in milliseconds; a right one takes no time. */
const PATIENCE = 60_000;

/** A program at a terminal of 24 rows. */
export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #screen: Screen;
  readonly #reading: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor(command: string, args: readonly string[], columns = 80) {
    this.#screen = new Screen(columns);
    this.#child = new Deno.Command("python3", {
      args: ["-u", "-c", BRIDGE, String(columns), command, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { TERM: "xterm", NO_COLOR: "1" },
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** What stands on the screen, row by row, without what is empty at the ends. */
  get rows(): string[] {
    return this.#screen.rows();
  }

  /** Where the cursor stands. */
  get cursor(): { row: number; column: number } {
    return this.#screen.cursor;
  }

  /** Whether the program has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Presses keys. */
  async type(keys: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
  }

  /** Waits until the screen is as `wanted`, and throws if it never is. */
  async until(wanted: (rows: string[]) => boolean): Promise<void> {
    let late = false;
    const giveUp = setTimeout(() => {
      late = true;
      this.#change();
    }, PATIENCE);
    try {
      while (!wanted(this.rows)) {
        if (this.#ended || late) {
          throw new Error(`${late ? "after long it still" : "it ended and"} shows\n${this}`);
        }
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(giveUp);
    }
  }

  /** The screen with the cursor's place, for messages. */
  toString(): string {
    return `${this.rows.join("\n")}\n(cursor in column ${this.cursor.column})`;
  }

  /** Waits until the last rows are these. */
  async endsWith(...rows: string[]): Promise<void> {
    await this.until((seen) => seen.slice(-rows.length).join("\n") === rows.join("\n"));
  }

  /** Waits until the cursor is in a column. */
  async cursorAt(column: number): Promise<void> {
    await this.until(() => this.cursor.column === column);
  }

  /** Sends SIGTERM to the program. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Waits until the program has ended. */
  async end(): Promise<TerminalEnd> {
    await this.#reading;
    const [code, sane] = (await new Response(this.#child.stderr).text()).split(" ");
    await this.#child.status;
    return { code: Number(code), restored: sane === "True" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#writer.abort().catch(() => {});
    await this.#reading;
    if (!this.#child.stderr.locked) await this.#child.stderr.cancel();
    await this.#child.status;
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#screen.write(text);
      this.#change();
    }
    this.#ended = true;
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** As much of a terminal as readline uses: enough to see what a person would see. */
class Screen {
  readonly #columns: number;
  /** Cells; a character of double width has an empty cell behind it. */
  readonly #grid: string[][] = [[]];
  #row = 0;
  #column = 0;
  #rest = "";

  constructor(columns: number) {
    this.#columns = columns;
  }

  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column };
  }

  rows(): string[] {
    const rows = this.#grid.map((cells) =>
      Array.from(cells, (cell) => cell ?? " ").join("").trimEnd()
    );
    while (rows.length > 0 && rows.at(-1) === "") rows.pop();
    return rows;
  }

  write(text: string): void {
    // deno-lint-ignore no-control-regex
    const parts = /\x1b\[([?\d;]*)([A-Za-z])|\x1b[^[]|[^\x1b]/suy;
    this.#rest += text;
    let used = 0;
    for (let part; (part = parts.exec(this.#rest)) !== null; used = parts.lastIndex) {
      const [whole, parameters = "", command] = part;
      if (command !== undefined) this.#control(command, parameters);
      else if (!whole.startsWith("\x1b")) this.#put(whole);
    }
    this.#rest = this.#rest.slice(used);
  }

  #control(command: string, parameters: string): void {
    if (parameters.startsWith("?")) return;
    const count = parameters === "" ? 1 : Number(parameters);
    const here = this.#cells;
    if (command === "A") this.#row = Math.max(0, this.#row - count);
    else if (command === "B") this.#row += count;
    else if (command === "C") this.#column = Math.min(this.#columns - 1, this.#column + count);
    else if (command === "D") this.#column = Math.max(0, this.#column - count);
    else if (command === "G") this.#column = Math.max(0, count - 1);
    else if (command === "J" && (parameters === "" || parameters === "0")) {
      here.length = Math.min(here.length, this.#column);
      this.#grid.length = this.#row + 1;
    } else if (command === "K" && (parameters === "" || parameters === "0")) {
      here.length = Math.min(here.length, this.#column);
    } else if (command === "K" && parameters === "2") here.length = 0;
    else if (command !== "m") {
      throw new Error(`the screen does not know CSI ${parameters}${command}`);
    }
  }

  #put(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#row++;
    else {
      const width = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]/.test(character)
        ? 2
        : 1;
      if (this.#column + width > this.#columns) {
        this.#column = 0;
        this.#row++;
      }
      const cells = this.#cells;
      cells[this.#column] = character;
      if (width === 2) cells[this.#column + 1] = "";
      this.#column += width;
    }
  }

  get #cells(): string[] {
    while (this.#grid.length <= this.#row) this.#grid.push([]);
    return this.#grid[this.#row] as string[];
  }
}
