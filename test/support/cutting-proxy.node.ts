/** A TCP proxy that cuts connections, as networks do: in the middle of an answer, or for as long as it is down. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export class CuttingProxy {
  /** While it is, connections are lost at once. */
  isDown = false;
  /** How many connections were cut in the middle of an answer. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where the next answers are cut: behind the first of these texts. */
  #places: string[] = [];
  #sent = "";

  constructor(target: URL) {
    this.#server = createServer((socket) => this.#join(socket, connect(Number(target.port), target.hostname)));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.cutAll();
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Cuts a connection behind a text that goes to the client, then one behind the next text, and so on. */
  cutBehind(...places: string[]): void {
    this.#places = places;
    this.#sent = "";
  }

  #join(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    if (this.isDown) return void client.resetAndDestroy();
    client.pipe(server);
    server.on("data", (bytes) => {
      const end = this.#endOf(bytes.toString("latin1"));
      client.write(end === null ? bytes : bytes.subarray(0, end), () => {
        if (end !== null) client.resetAndDestroy();
      });
    });
  }

  /** @returns how much of a chunk is sent before the cut; `null` for all of it and no cut */
  #endOf(chunk: string): number | null {
    const [place] = this.#places;
    if (place === undefined) return null;
    const before = this.#sent.length;
    this.#sent += chunk;
    const found = this.#sent.indexOf(place);
    if (found === -1) return null;
    this.#places = this.#places.slice(1);
    this.#sent = "";
    this.cuts += 1;
    return found + place.length - before;
  }
}
