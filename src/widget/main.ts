/**
 * The chat widget: one script tag puts a chat with a chatbot on a page of another origin. Built into `/widget.js`.
 *
 * In this folder: `options` reads the script tag, `token-source` asks the page's own server for tokens, `conversation` has
 * the messages and the commands, `panel` and `message-list` show them, in a shadow root with `widget.css`. Calls go through
 * `src/client`. Texts of a conversation are hostile: they become text nodes and nothing else.
 */
import { Connection } from "../client/connection.ts";
import { Sessions } from "../client/sessions.ts";
import { Conversation } from "./conversation.ts";
import { readOptions } from "./options.ts";
import { Panel } from "./panel.ts";
import { sessionMemory } from "./session-memory.ts";
import { tokenSource } from "./token-source.ts";

const script = document.currentScript;
if (!(script instanceof HTMLScriptElement)) throw new Error("Parley's widget is loaded by a plain script tag");
const options = readOptions(script);
const connection = new Connection({ url: options.serverUrl, token: tokenSource(options.tokenUrl) });
const conversation = new Conversation(
  new Sessions(connection),
  options.chatbotId,
  sessionMemory(`parley:${options.serverUrl}:${options.chatbotId}`),
);
const start = () => document.body.appendChild(new Panel(conversation, options).host);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();
