/**
 * The types of what the client takes and gives. They come from the schemas by which the server checks and documents its
 * routes (`schemas.ts`); nothing of those is loaded. In the package this file has the types written out.
 */
import type * as z from "zod";
import type { inputs, outputs } from "./schemas.ts";

export type { ReplyErrorCode } from "../core/failure.ts";

type Output<Name extends keyof typeof outputs> = z.output<(typeof outputs)[Name]>;
type Input<Name extends keyof typeof inputs> = z.input<(typeof inputs)[Name]>;

export type ActivePath = Output<"ActivePath">;
export type Bookmark = Output<"Bookmark">;
export type ChatRecord = Output<"ChatRecord">;
export type Chatbot = Output<"Chatbot">;
export type Client = Output<"Client">;
export type Comparison = Output<"Comparison">;
export type ComparisonStatistics = Output<"ComparisonStatistics">;
export type Connector = Output<"Connector">;
export type ConversationStatistics = Output<"ConversationStatistics">;
export type CreatedEndpoint = Output<"CreatedEndpoint">;
export type Distribution = Output<"Distribution">;
export type Endpoint = Output<"Endpoint">;
export type EndpointResult = Output<"EndpointResult">;
export type EndpointTest = Output<"EndpointTest">;
export type GivenFeedback = Output<"GivenFeedback">;
export type Handling = Output<"Handling">;
export type Key = Output<"Key">;
export type ListedFeedback = Output<"ListedFeedback">;
export type ListedSession = Output<"ListedSession">;
export type LoggedMessage = Output<"LoggedMessage">;
export type Me = Output<"Me">;
export type Message = Output<"Message">;
export type NewKey = Output<"NewKey">;
export type PaginatorInfo = Output<"PaginatorInfo">;
export type PopulatedSession = Output<"PopulatedSession">;
export type PromptTemplate = Output<"PromptTemplate">;
export type Receipt = Output<"Receipt">;
export type Run = Output<"Run">;
export type RunEvent = Output<"RunEvent">;
export type RunProgress = Output<"RunProgress">;
export type RunResult = Output<"RunResult">;
export type RunSummary = Output<"RunSummary">;
export type Session = Output<"Session">;
export type SessionStatistics = Output<"SessionStatistics">;
export type StoredMessage = Output<"StoredMessage">;
export type StreamEvent = Output<"StreamEvent">;
export type Ticket = Output<"Ticket">;
export type TreeMessage = Output<"TreeMessage">;

export type AdoptFields = Input<"AdoptFields">;
export type BookmarkFields = Input<"BookmarkFields">;
export type BranchFields = Input<"BranchFields">;
export type ChatFields = Input<"ChatFields">;
export type ChatbotChanges = Input<"ChatbotChanges">;
export type ChatbotFields = Input<"ChatbotFields">;
export type ChatbotQuery = Input<"ChatbotQuery">;
export type ClientChanges = Input<"ClientChanges">;
export type ClientFields = Input<"ClientFields">;
export type ClientFrame = Input<"ClientFrame">;
export type ClientQuery = Input<"ClientQuery">;
export type ComparisonFields = Input<"ComparisonFields">;
export type ComparisonQuery = Input<"ComparisonQuery">;
export type EditFields = Input<"EditFields">;
export type EndpointChanges = Input<"EndpointChanges">;
export type EndpointFields = Input<"EndpointFields">;
export type ExportQuery = Input<"ExportQuery">;
export type FeedbackFields = Input<"FeedbackFields">;
export type FeedbackQuery = Input<"FeedbackQuery">;
export type HandBackFields = Input<"HandBackFields">;
export type HumanRequestFields = Input<"HumanRequestFields">;
export type KeyFields = Input<"KeyFields">;
export type KeyQuery = Input<"KeyQuery">;
export type MessageFields = Input<"MessageFields">;
export type MessagesQuery = Input<"MessagesQuery">;
export type PromptFields = Input<"PromptFields">;
export type PromptTemplateFields = Input<"PromptTemplateFields">;
export type RegenerateFields = Input<"RegenerateFields">;
export type ReplayFields = Input<"ReplayFields">;
export type RunExportQuery = Input<"RunExportQuery">;
export type RunFields = Input<"RunFields">;
export type RunQuery = Input<"RunQuery">;
export type RunResultQuery = Input<"RunResultQuery">;
export type SessionChanges = Input<"SessionChanges">;
export type SessionFields = Input<"SessionFields">;
export type SessionQuery = Input<"SessionQuery">;
export type StatisticsQuery = Input<"StatisticsQuery">;
export type TakeOverFields = Input<"TakeOverFields">;
