/**
 * Reads the conversation of a chat session that a comparison is made from, page by page, and copies its messages. Effects:
 * RPC to the session's object, queries to D1.
 */
import type { Context } from "hono";
import { MAX_BRIDGE_CHARACTERS, MAX_BRIDGE_MESSAGES, RECORDED_CHAT } from "../../../core/bridge.ts";
import type { BridgeMode } from "../../../core/bridge.ts";
import type { Outcome } from "../../../core/failure.ts";
import { failed, notFound, success } from "../../../core/failure.ts";
import { asObjectId } from "../../../core/id.ts";
import type { Message } from "../../../core/message.ts";
import { hasText } from "../../../core/message.ts";
import { isOnPath } from "../../../core/message-tree.ts";
import type { MessageTree, PathRange } from "../../../core/message-tree.ts";
import type { Session } from "../../../core/session.ts";
import { messagesOf, openLog, readTree } from "../../../live/read-session.ts";
import type { OpenLog } from "../../../live/read-session.ts";
import { readChatContext } from "../../../store/turn-context.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readerOf } from "../../http/context.ts";
import type { RecordedConversation } from "../../moonshot-shared/sessions/new-session.ts";

/** What is taken of a chat session, and how it is to be put. */
interface ChatSelection {
  mode?: BridgeMode | undefined;
  until_seq?: number | undefined;
}

interface ChatSource {
  recorded: RecordedConversation;
  /** That of the chatbot, as it is now. */
  systemPrompt: string | null;
}

/** @returns `not-found` for the session or the message, `nothing-to-show`, `nothing-to-replay`, `chat-too-long` */
export async function readChat(
  c: Context<AppEnv>,
  sessionId: string,
  { mode = "user_turns", until_seq: until }: ChatSelection,
): Promise<Outcome<ChatSource>> {
  const reader = readerOf(c);
  const id = asObjectId(sessionId);
  const log = id === null ? null : await openLog(reader, id);
  const tree = log?.session.kind === "chatbot" ? await readTree(reader, log.session.id) : null;
  if (!log || !tree) return notFound("session", sessionId);
  const { session } = log;
  const path = pathOf(session, tree, until);
  if (!path.ok) return path;
  const messages = await messagesOnPath(log, path.value);
  if (!messages) return failed({ reason: "chat-too-long" });
  const turns = messages.filter(({ role }) => role === "user").length;
  if (turns === 0) return failed({ reason: "nothing-to-replay" });
  const failedSeqs = messages.flatMap(({ reply }, index) => (reply?.status === "error" ? [index + 1] : []));
  const bridge = { sessionId: session.id, lastSeq: session.lastSeq, mode, path: path.value, turns, failedSeqs };
  const systemPrompt = await systemPromptOf(c, session);
  return success({ recorded: { bridge, messages: messages.map(copyOf) }, systemPrompt });
}

/** The active path, or the path to one of its messages or of another variant. */
function pathOf({ activePath, lastSeq }: Session, tree: MessageTree, until: number | undefined): Outcome<PathRange[]> {
  if (until !== undefined && until > lastSeq) return notFound("message", String(until));
  if (until !== undefined && !tree.hasText(until)) return failed({ reason: "nothing-to-show" });
  const end = activePath?.at(-1);
  const leaf = end ? (end[1] ?? lastSeq) : tree.lastWithText(lastSeq);
  return success(tree.pathTo(until ?? leaf));
}

/** @returns `null` if these are more than a comparison is made from */
async function messagesOnPath(log: OpenLog, path: PathRange[]): Promise<Message[] | null> {
  const found: Message[] = [];
  let characters = 0;
  const upTo = path.at(-1)?.[1] ?? 0;
  for await (const message of messagesOf({ ...log, upTo }, { form: "short" })) {
    if (!hasText(message) || !isOnPath(path, message.seq)) continue;
    characters += message.content.length;
    if (found.length >= MAX_BRIDGE_MESSAGES || characters > MAX_BRIDGE_CHARACTERS) return null;
    found.push(message);
  }
  return found;
}

/** Text and time. What a reply cost stays with the session where that happened. */
const copyOf = ({ role, content, createdAt }: Message, index: number): Message => ({
  seq: index + 1,
  chatId: RECORDED_CHAT,
  turnId: null,
  turnNumber: null,
  role,
  content,
  createdAt,
  reply: null,
});

async function systemPromptOf(c: Context<AppEnv>, { chatbotId }: Session): Promise<string | null> {
  if (chatbotId === null) return null;
  const read = readChatContext(c.env.DB, { chatbotId, clientId: null });
  const { chatbot } = await measure(c, "index", read);
  return chatbot?.systemPrompt || null;
}
