/** The rules of the room, without sockets and with a clock of the test's own. */
import {
  ChatRoom,
  type ChatRoomLimits,
  type ChatRoomOptions,
  type ChatSession,
} from "../../apps/chat/mod.ts";
import { checkChatName } from "../../apps/chat/names.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";

const decoder = new TextDecoder();

/** Somebody whose screen the test reads. */
class Guest {
  readonly session: ChatSession;
  readonly raw: Uint8Array[] = [];
  ended = false;
  #seen: string[] = [];

  constructor(room: ChatRoom, name?: string) {
    this.session = room.connect({
      send: (line) => {
        this.raw.push(line);
        this.#seen.push(decoder.decode(line));
      },
      end: () => {
        assert(!this.ended, "ended twice");
        this.ended = true;
      },
    });
    if (name !== undefined) this.types(name);
  }

  types(line: string): void {
    this.session.receive(line);
  }

  /** What came since the last look. */
  look(): string[] {
    const seen = this.#seen;
    this.#seen = [];
    for (const line of seen) {
      assert(line.endsWith("\n") && line.indexOf("\n") === line.length - 1, "one line each");
    }
    return seen.map((line) => line.slice(0, -1));
  }
}

function roomOf(names: string[], options?: ChatRoomOptions): [ChatRoom, ...Guest[]] {
  const room = new ChatRoom(options);
  const guests = names.map((name) => new Guest(room, name));
  guests.forEach((guest) => guest.look());
  return [room, ...guests];
}

/** Three people, the screens empty. */
function trio(options?: ChatRoomOptions): [ChatRoom, Guest, Guest, Guest] {
  return roomOf(["Ada", "Bob", "Cy"], options) as [ChatRoom, Guest, Guest, Guest];
}

Deno.test("a message goes to all others, in the same bytes", () => {
  const [, ada, bob, cy] = trio();
  bob.types("h\u00e9llo \u4f60\u597d \ud83d\ude00");
  assertEquals(ada.look(), ["<Bob> h\u00e9llo \u4f60\u597d \ud83d\ude00"]);
  assertEquals(cy.look(), ["<Bob> h\u00e9llo \u4f60\u597d \ud83d\ude00"]);
  assertEquals(bob.look(), []);
  assertStrictEquals(ada.raw.at(-1), cy.raw.at(-1));
});

Deno.test("joining and leaving is told to the others", () => {
  const room = new ChatRoom();
  const ada = new Guest(room);
  assertEquals(ada.look(), ["*** What is your name?"]);
  ada.types("Ada");
  assertEquals(ada.look(), ["*** Welcome, Ada! Nobody else is here; /help lists the commands"]);
  const bob = new Guest(room, "Bob");
  assertEquals(bob.look().at(-1), "*** Welcome, Bob! One other is here; /help lists the commands");
  assertEquals(ada.look(), ["*** Bob has joined"]);
  bob.session.leave();
  bob.session.leave("twice");
  assertEquals(ada.look(), ["*** Bob has left"]);
  assertEquals(room.names, ["Ada"]);
});

Deno.test("somebody without a name hears and says nothing", () => {
  const [room, ada] = trio();
  const stranger = new Guest(room);
  stranger.look();
  ada?.types("secret");
  assertEquals(stranger.look(), []);
  stranger.session.leave("gone");
  assertEquals(ada?.look(), []);
});

const REFUSED: [string, RegExp][] = [
  ["", /the name is empty/],
  [" \u3000\u00a0\u3164\u2800\t", /the name is empty/],
  ["A\x1b[2Jda", /control characters/],
  ["A\u0085da", /control characters/],
  ["Ada Lovelace", /one word, such as Ada_Lovelace/],
  ["Ada\u00a0Lovelace", /one word/],
  ["x".repeat(33), /longer than 32 characters/],
  ["e\u0301".repeat(100_000), /longer than 32 characters/],
  ["A\u200bda", /invisible/],
  ["A\u202eda", /invisible/],
  ["\u200d", /nothing in it that can be seen/],
  ["Ada>", /none of < > \[ \]/],
  ["*", /neither \* nor \//],
  ["/who", /neither \* nor \//],
  ["\ufffd\ufffd", /not UTF-8/],
  ["\u0410da", /mixes Latin and Cyrillic/],
  ["B\u2c9fb", /script that is not in use today/], // Coptic o
  ["\ua4eeda", /mixes Latin and Lisu/],
  ["Ad\u0663", /mixes signs of several scripts|mixes Latin and Arabic/],
  ["\u{1d159}", /the name is empty/],
  ["\u{13441}", /the name is empty/],
  ["A\u{1d159}da", /one word/],
  ["A\u{13440}da", /not in use today/],
  ["A\u0378da", /invisible/], // assigned to nothing
  ["\u0301Ada", /begins with a combining mark/],
  ["\u20dd", /nothing in it that can be seen/],
  [`a${"\u0316\u0317".repeat(15)}`, /too many marks/],
  [`a${"\u0301".repeat(31)}`, /too many marks/],
  ["a\u0316\u0316", /too many marks/],
  ["\ua4ee\ua4d3\ua4ee", /looks like the one of Ada/], // all Lisu
  ["B0b", /looks like the one of Bob/],
  ["\u0421\u0443", /looks like the one of Cy/], // all Cyrillic
  ["\u0421\u0423", /looks like the one of Cy/],
  ["ADA", /taken/],
  ["\uff21\uff44\uff41", /taken/],
  ["A\u200dda", /taken/],
];
for (const [name, reason] of REFUSED) {
  Deno.test(`the name ${JSON.stringify(name).slice(0, 40)} is refused, and asked for again`, () => {
    const [room, ada] = trio();
    const guest = new Guest(room, name);
    const [, answer = ""] = guest.look();
    assert(reason.test(answer), answer);
    assert(answer.endsWith(". What is your name?"), answer);
    assertEquals(ada?.look(), []);
    guest.types("Dora");
    assertEquals(ada?.look(), ["*** Dora has joined"]);
  });
}

const TAKEN: [string, string, string][] = [
  ["  Zoe\u0308\u3000", "Zo\u00eb", "ZO\u00cb"],
  ["Stra\u00dfe", "Stra\u00dfe", "STRASSE"],
  [
    "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
    "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
    "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
  ],
  ["\u674e\u96f7", "\u674e\u96f7", "\u674e\u96f7"],
  ["\u2764", "\u2764", "\u2764\ufe0f"],
];
for (const [typed, shown, same] of TAKEN) {
  Deno.test(`the name ${JSON.stringify(typed)} shows as ${shown} and is the same as ${same}`, () => {
    const [room, ada] = trio();
    new Guest(room, typed);
    assertEquals(ada?.look(), [`*** ${shown} has joined`]);
    assertEquals(new Guest(room, same).look().at(-1)?.includes("taken"), true);
  });
}

const USABLE = [
  [
    "\u4e2d\u6587",
    "\u674e\u96f7\uff01",
    "\u3072\u3089\u30ab\u30ca\u6f22\u5b57abc",
    "\ud55c\uad6d\uc5b4A",
  ],
  [
    "\u0411\u043e\u0440\u0438\u0441",
    "\u0395\u03bb\u03ad\u03bd\u03b7",
    "Zo\u00eb",
    "Nguy\u1ec5n",
    "\u0399\u03c9\u03ac\u03bd\u03bd\u03b7\u03c2",
  ],
  [
    "\u05d3\u05d5\u05d3",
    "\u0639\u0644\u064a\u0663",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0e2a\u0e21\u0e0a\u0e32\u0e22",
    "\u13e3\u13b3\u13a9",
  ],
  [
    "\u{1f600}",
    "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}",
    "\u2764\ufe0f",
    "1\ufe0f\u20e3",
    "\u{1f1e9}\u{1f1ea}",
    "\u2605Eve\u2605",
  ],
  ["O'Neil", "n0", "a_b-c.d", "\u00af\\_(\u30c4)_/\u00af", "\u{1d400}lan"],
].flat();
Deno.test("names of all languages and emoji can be used, all in one room", () => {
  const [room, ada] = trio();
  for (const name of USABLE) {
    assertEquals(new Guest(room, name).look().at(-1)?.includes(`Welcome, ${name}!`), true, name);
  }
  ada?.look();
});

Deno.test("a name that looked like another is free when its owner has left", () => {
  const [room, , , cy] = trio();
  cy?.session.leave();
  new Guest(room, "\u0421\u0443");
  assert(new Guest(room, "Cy").look().at(-1)?.includes("looks like the one of \u0421\u0443"));
});

Deno.test("checking a name of nothing but blanks takes linear time", () => {
  const blanks = "\u3000".repeat(2_047);
  const began = performance.now();
  for (let name = 0; name < 100; name++) {
    assert(!checkChatName(`x${blanks}x`, 32).ok);
  }
  assert(performance.now() - began < 2_000);
});

Deno.test("a name is free again when its owner has left", () => {
  const [room, ada] = trio();
  ada?.session.leave();
  assert(new Guest(room, "ada").look().at(-1)?.startsWith("*** Welcome, ada!"));
  assertEquals(room.names, ["Bob", "Cy", "ada"]);
});

Deno.test("whoever tries too many names is shown the door", () => {
  const room = new ChatRoom({ limits: { maxNameAttempts: 3 } });
  const guest = new Guest(room);
  for (let attempt = 0; attempt < 3; attempt++) {
    assert(!guest.ended);
    guest.types("");
  }
  assert(guest.ended);
  assertEquals(
    guest.look().at(-1),
    "*** Goodbye: the name is empty, and that was try number 3",
  );
  guest.types("Ada");
  assertEquals(room.names, []);
});

Deno.test("a full room says so, and lets in when somebody has left", () => {
  const [room, ada] = trio({ limits: { maxMembers: 3 } });
  const dora = new Guest(room, "Dora");
  assert(dora.look().at(-1)?.includes("the room is full with 3 people"));
  ada?.session.leave();
  dora.types("Dora");
  assertEquals(room.names, ["Bob", "Cy", "Dora"]);
});

Deno.test("/me and // say things in other forms", () => {
  const [, ada, bob] = trio();
  ada.types("/me waves \u{1f44b}");
  ada.types("/ME  bows ");
  ada.types("//not a command");
  assertEquals(bob.look(), ["* Ada waves \u{1f44b}", "* Ada bows", "<Ada> /not a command"]);
  ada.types("/me");
  assertEquals(ada.look(), ["*** /me needs a text: /me waves"]);
});

Deno.test("/msg reaches one person only, whatever the case of the name", () => {
  const [, ada, bob, cy] = trio();
  ada.types("/msg bOB  a  secret ");
  assertEquals(bob.look(), ["[Ada] a  secret"]);
  assertEquals(ada.look(), ["[to Bob] a  secret"]);
  assertEquals(cy.look(), []);
  ada.types("/msg Dora hello");
  ada.types("/msg Bob");
  ada.types("/msg");
  assertEquals(ada.look(), [
    "*** Not sent: there is no Dora here; /who lists who is",
    "*** /msg needs a name and a text: /msg NAME TEXT",
    "*** /msg needs a name and a text: /msg NAME TEXT",
  ]);
  assertEquals(bob.look(), []);
});

Deno.test("/who lists everybody, over as many lines as it takes", () => {
  const [room, ada] = trio();
  ada.types("/who");
  assertEquals(ada.look(), ["*** Here are 3 people:", "*** Ada, Bob, Cy"]);
  const names = Array.from({ length: 200 }, (_, index) => `somebody-number-${index}`);
  for (const name of names) new Guest(room, name);
  ada.look();
  ada.types("/who");
  const [count, ...lists] = ada.look();
  assertEquals(count, "*** Here are 203 people:");
  assert(lists.length > 1 && lists.every((line) => line.length < 600));
  const listed = lists.flatMap((line) => line.slice(4).split(", "));
  assertEquals(listed, ["Ada", "Bob", "Cy", ...names]);
});

Deno.test("/quit says goodbye to both sides", () => {
  const [, ada, bob] = trio();
  ada.types("/quit back \x1b[5m soon");
  assertEquals(ada.look(), ["*** Goodbye"]);
  assert(ada.ended);
  assertEquals(bob.look(), ["*** Ada has left: back \u241b[5m soon"]);
  ada.types("still here?");
  ada.session.leave();
  assertEquals(bob.look(), []);
});

Deno.test("/quit works for those without a name too", () => {
  const guest = new Guest(new ChatRoom(), "/quit");
  assert(guest.ended);
  assertEquals(guest.look().at(-1), "*** Goodbye");
});

Deno.test("/help and unknown commands are answered to who asks only", () => {
  const [, ada, bob] = trio();
  ada.types("/help");
  const help = ada.look().join("\n");
  for (const word of ["/who", "/me", "/msg", "/quit", "/help"]) assert(help.includes(word), word);
  ada.types("/nick Eve");
  ada.types("/");
  assertEquals(ada.look(), [
    "*** There is no command /nick: /help lists them",
    "*** There is no command /: /help lists them",
  ]);
  assertEquals(bob.look(), []);
});

Deno.test("empty lines are no messages", () => {
  const [, ada, bob] = trio();
  for (const line of ["", "   ", "\t", "\u3000"]) ada.types(line);
  assertEquals([...ada.look(), ...bob.look()], []);
});

Deno.test("nothing that a terminal obeys gets through, whatever way it takes", () => {
  const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
    .filter((character) => /\p{Cc}/u.test(character) && character !== "\n");
  const bidi = [..."\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"];
  for (const character of [...controls, ...bidi]) {
    const [, ada, bob] = trio();
    ada.types(`a${character}b`);
    ada.types(`/me a${character}b`);
    ada.types(`/msg Bob a${character}b`);
    ada.types(`/nope${character}`);
    ada.types(`/quit a${character}b`);
    for (const line of [...ada.look(), ...bob.look()]) {
      assert(!/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(line), JSON.stringify(line));
    }
  }
});

Deno.test("nobody can forge a line of another kind", () => {
  const [, ada, bob] = trio();
  ada.types("*** Bob has left");
  ada.types("<Cy> hello");
  ada.types("[Cy] hello");
  ada.types("/me ** Bob has left");
  ada.types("a\r*** Bob has left");
  assertEquals(bob.look(), [
    "<Ada> *** Bob has left",
    "<Ada> <Cy> hello",
    "<Ada> [Cy] hello",
    "* Ada ** Bob has left",
    "<Ada> a\u240d*** Bob has left",
  ]);
});

Deno.test("newcomers are shown the last lines said, and nothing private", () => {
  const [room, ada, bob] = trio({ limits: { maxHistory: 3 } });
  ada.types("one");
  ada.types("two");
  ada.types("/msg Bob secret");
  bob.types("/me waves");
  ada.types("/who");
  bob.types("three");
  assertEquals(new Guest(room, "Dora").look(), [
    "*** What is your name?",
    "*** Welcome, Dora! 3 others are here; /help lists the commands",
    "*** Earlier, the last 3 lines:",
    "<Ada> two",
    "* Bob waves",
    "<Bob> three",
    "*** That was earlier",
  ]);
});

Deno.test("with history 0 newcomers are shown nothing", () => {
  const [room, ada] = trio({ limits: { maxHistory: 0 } });
  ada?.types("one");
  assertEquals(new Guest(room, "Dora").look().length, 2);
});

Deno.test("whoever says too much at once is told so once, and what was not sent", () => {
  let now = 0;
  const [, ada, bob] = trio({
    limits: { maxLinesPerSecond: 2, maxLinesAtOnce: 3 },
    now: () => now,
  });
  now = 10_000; // the names have taken their tokens
  for (let line = 1; line <= 7; line++) ada.types(`line ${line}`);
  assertEquals(bob.look(), ["<Ada> line 1", "<Ada> line 2", "<Ada> line 3"]);
  assertEquals(ada.look(), ["*** Not sent: at most 2 lines a second are allowed, 3 at once"]);
  now += 499;
  ada.types("too early");
  bob.types("others are not concerned");
  assertEquals(ada.look(), ["<Bob> others are not concerned"]);
  now += 1;
  ada.types("in time");
  assertEquals(bob.look(), ["<Ada> in time"]);
  assertEquals(ada.look(), ["*** 5 of your lines were not sent"]);
  ada.types("again too early");
  assertEquals(ada.look(), ["*** Not sent: at most 2 lines a second are allowed, 3 at once"]);
  now += 60_000; // a long silence fills no more than the bucket
  for (let line = 1; line <= 4; line++) ada.types(`line ${line}`);
  assertEquals(bob.look().length, 3);
});

Deno.test("commands and names count for the rate too", () => {
  const room = new ChatRoom({ limits: { maxLinesPerSecond: 1, maxLinesAtOnce: 2 }, now: () => 0 });
  const ada = new Guest(room, "Ada");
  ada.types("/who");
  ada.look();
  ada.types("/who");
  assertEquals(ada.look(), ["*** Not sent: at most 1 lines a second are allowed, 2 at once"]);
});

Deno.test("a long line is refused with the limit, not cut", () => {
  const [, ada, bob] = trio({ limits: { maxLineLength: 9 } });
  ada.types("123456789");
  ada.types("1234567890");
  ada.types("\u4f60\u4f60\u4f60");
  ada.types("\u4f60\u4f60\u4f60\u00e9");
  ada.session.receiveTooLong();
  assertEquals(bob.look(), ["<Ada> 123456789", "<Ada> \u4f60\u4f60\u4f60"]);
  assertEquals(ada.look(), Array(3).fill("*** Not sent: a line may have at most 9 bytes"));
});

Deno.test("a closed room says goodbye to everybody and lets nobody in", () => {
  const [room, ada, bob] = trio();
  const nameless = new Guest(room);
  room.close();
  room.close("again");
  for (const guest of [ada, bob, nameless]) {
    assertEquals(guest?.look().at(-1), "*** Goodbye: the room is closing");
    assertEquals(guest?.ended, true);
  }
  assertEquals(ada?.look(), []); // not a word about the others
  const late = new Guest(room);
  assert(late.ended);
  assertEquals(late.look().at(-1), "*** Goodbye: the room is closing");
});

Deno.test("the room itself can speak to all and to one", () => {
  const [room, ada, bob] = trio();
  room.announce("maintenance\x07 at noon");
  ada?.session.notify("you are \x1b[1mloud");
  assertEquals(ada?.look(), ["*** maintenance\u2407 at noon", "*** you are \u241b[1mloud"]);
  assertEquals(bob?.look(), ["*** maintenance\u2407 at noon"]);
});

Deno.test("dismissing somebody tells them and the others", () => {
  const [, ada, bob] = trio();
  bob.session.dismiss("nothing was said");
  assertEquals(bob.look(), ["*** Goodbye: nothing was said"]);
  assert(bob.ended);
  assertEquals(ada.look(), ["*** Bob has left: nothing was said"]);
});

Deno.test("all see the same order when somebody is lost in the middle of a line", () => {
  const room = new ChatRoom();
  const seen: string[][] = [[], [], []];
  const sessions: ChatSession[] = [];
  for (let index = 0; index < 3; index++) {
    sessions.push(room.connect({
      send(line) {
        const text = decoder.decode(line).trimEnd();
        if (index === 0 && text === "<Cy> boom") sessions[0]?.leave("could not keep up");
        else seen[index]?.push(text);
      },
      end() {},
    }));
  }
  ["Ada", "Bob", "Cy"].forEach((name, index) => sessions[index]?.receive(name));
  sessions[2]?.receive("boom");
  assertEquals(seen[1]?.slice(-2), ["<Cy> boom", "*** Ada has left: could not keep up"]);
  assertEquals(seen[2]?.at(-1), "*** Ada has left: could not keep up");
});

for (
  const limits of [
    { maxHistory: -1 },
    { maxMembers: 0 },
    { maxLineLength: 1.5 },
    { maxNameLength: NaN },
    { maxNameAttempts: 0 },
    { maxLinesPerSecond: 0 },
    { maxHistoryBytes: -1 },
    { maxMembersPerAddress: 0 },
    { maxJoinsPerSecond: NaN },
    { maxJoinsAtOnce: 0 },
    { maxNoticesPerSecond: -1 },
    { maxNoticesAtOnce: 0.5 },
    { maxLinesAtOnce: 0 },
  ] as ChatRoomLimits[]
) {
  const [name = ""] = Object.keys(limits);
  Deno.test(`${JSON.stringify(limits)} is refused by its name`, () => {
    assertThrows(() => new ChatRoom({ limits }), RangeError, `"limits.${name}"`);
  });
}

Deno.test("an option that does not exist is refused, and the right one named", () => {
  for (const options of [{ maxMembers: 3 }, { limits: { maxMember: 3 } }] as object[]) {
    assertThrows(() => new ChatRoom(options), TypeError, 'did you mean "limits.maxMembers"?');
  }
});
