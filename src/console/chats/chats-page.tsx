/** *Chats*: the conversations of chatbots with clients. Without an id it lists them. */
import { ConversationView } from "./conversation-view.tsx";
import { ChatList } from "./list/chat-list.tsx";
import "./chats.css";

export const ChatsPage = ({ id }: { id: string }) => (id === "" ? <ChatList /> : <ConversationView id={id} />);
