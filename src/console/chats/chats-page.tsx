/** *Chats*: the conversations of chatbots with clients. Without an id it lists them. */
import { ConversationView } from "./conversation-view.tsx";
import { ChatList } from "./list/chat-list.tsx";
import "./chats.css";

export const ChatsPage = ({ id, part }: { id: string; part: string }) =>
  id === "" ? <ChatList /> : <ConversationView id={id} target={Number(part) || null} />;
