/**
 * Chat by name over UDP. A line of the input is a name and what to tell them: `bob how are you?`
 *
 *     deno run -A examples/minimal/udp_chat.ts ada contacts.json
 */
import { TextLineStream } from "@std/streams";
import { bindUdpChat, parseContacts } from "@tincan/net/chat";

const [name = "", path = ""] = Deno.args;
const chat = await bindUdpChat({ name, contacts: parseContacts(await Deno.readTextFile(path)) });
const decoder = new TextDecoderStream();

(async () => {
  for await (const { from, address, lines } of chat) {
    for (const line of lines) console.log(`<${from ?? address}> ${line}`);
  }
})();
for await (
  const line of Deno.stdin.readable.pipeThrough(decoder).pipeThrough(new TextLineStream())
) {
  const [to = "", ...words] = line.split(" ");
  await chat.send(to, words.join(" ")).catch((error) => console.error(error.message));
}
await chat.close();
