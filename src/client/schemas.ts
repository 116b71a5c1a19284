/**
 * What routes take and answer, by the names that the client's types have. The client imports only types from here, so that no code
 * of a schema is loaded; the package has the types written out, from these schemas.
 */
import { ClientFrame } from "../live/streaming/client-frames.ts";
import { StreamEvent } from "../live/streaming/event-schemas.ts";
import { Distribution, Ticket } from "../routes/http/response-fields.ts";
import { ExportQuery } from "../routes/http/export.ts";
import { CreateEndpoint, UpdateEndpoint } from "../routes/moonshot-shared/llm-endpoints/schemas.ts";
import * as bookmarkOutputs from "../routes/moonshot/bookmarks/response-schemas.ts";
import * as bookmarkInputs from "../routes/moonshot/bookmarks/schemas.ts";
import * as endpointOutputs from "../routes/moonshot/llm-endpoints/response-schemas.ts";
import { PromptTemplate } from "../routes/moonshot/prompt-templates/response-schemas.ts";
import { CreatePromptTemplate } from "../routes/moonshot/prompt-templates/schemas.ts";
import * as moonshotOutputs from "../routes/moonshot/response-schemas.ts";
import * as runOutputs from "../routes/moonshot/runs/response-schemas.ts";
import * as runInputs from "../routes/moonshot/runs/schemas.ts";
import * as records from "../routes/moonshot/sessions/record-schemas.ts";
import * as comparisonOutputs from "../routes/moonshot/sessions/response-schemas.ts";
import * as comparisonResults from "../routes/moonshot/sessions/result-schemas.ts";
import * as comparisonInputs from "../routes/moonshot/sessions/schemas.ts";
import { Chatbot } from "../routes/session-api/chatbots/response-schemas.ts";
import * as chatbotInputs from "../routes/session-api/chatbots/schemas.ts";
import { Client } from "../routes/session-api/clients/response-schemas.ts";
import * as clientInputs from "../routes/session-api/clients/schemas.ts";
import { PaginatorInfo } from "../routes/session-api/envelope-schemas.ts";
import * as feedbackOutputs from "../routes/session-api/feedback/response-schemas.ts";
import * as feedbackInputs from "../routes/session-api/feedback/schemas.ts";
import * as keyOutputs from "../routes/session-api/keys/response-schemas.ts";
import * as keyInputs from "../routes/session-api/keys/schemas.ts";
import { Me } from "../routes/session-api/me/docs.ts";
import * as sessionOutputs from "../routes/session-api/sessions/response-schemas.ts";
import * as sessionInputs from "../routes/session-api/sessions/schemas.ts";
import { Statistics } from "../routes/session-api/statistics/response-schemas.ts";
import { StatisticsQuery } from "../routes/session-api/statistics/schemas.ts";

/** What the server answers and sends. */
export const outputs = {
  ActivePath: sessionOutputs.ActivePath,
  Bookmark: bookmarkOutputs.Bookmark,
  ChatRecord: records.ChatRecord,
  Chatbot,
  Client,
  Comparison: comparisonOutputs.Session,
  ComparisonStatistics: comparisonResults.Statistics,
  Connector: moonshotOutputs.Connector,
  ConversationStatistics: Statistics,
  CreatedEndpoint: endpointOutputs.CreatedEndpoint,
  Distribution,
  EndpointResult: runOutputs.EndpointResult,
  Endpoint: endpointOutputs.Endpoint,
  EndpointTest: endpointOutputs.EndpointTest,
  GivenFeedback: feedbackOutputs.GivenFeedback,
  Handling: sessionOutputs.Handling,
  Key: keyOutputs.Key,
  ListedFeedback: feedbackOutputs.ListedFeedback,
  ListedSession: sessionOutputs.ListedSession,
  LoggedMessage: sessionOutputs.LoggedMessage,
  Me,
  Message: sessionOutputs.Message,
  NewKey: keyOutputs.NewKey,
  PaginatorInfo,
  PopulatedSession: sessionOutputs.PopulatedSession,
  PromptTemplate,
  Receipt: records.Receipt,
  Run: runOutputs.Run,
  RunEvent: runOutputs.RunEvent,
  RunProgress: runOutputs.RunProgress,
  RunResult: runOutputs.RunResult,
  RunSummary: runOutputs.RunSummary,
  Session: sessionOutputs.Session,
  SessionStatistics: sessionOutputs.Statistics,
  StoredMessage: sessionOutputs.StoredMessage,
  StreamEvent,
  Ticket,
  TreeMessage: sessionOutputs.TreeMessage,
} as const;

/** What routes take, and what a socket takes. */
export const inputs = {
  AdoptFields: comparisonInputs.Adopt,
  BookmarkFields: bookmarkInputs.CreateBookmark,
  BranchFields: sessionInputs.Branch,
  ChatFields: sessionInputs.Chat,
  ChatbotChanges: chatbotInputs.UpdateChatbot,
  ChatbotFields: chatbotInputs.CreateChatbot,
  ChatbotQuery: chatbotInputs.ListByName,
  ClientChanges: clientInputs.UpdateClient,
  ClientFields: clientInputs.CreateClient,
  ClientFrame,
  ClientQuery: clientInputs.ListClients,
  ComparisonFields: comparisonInputs.CreateSession,
  ComparisonQuery: comparisonInputs.ListSessions,
  EditFields: sessionInputs.Edit,
  EndpointChanges: UpdateEndpoint,
  EndpointFields: CreateEndpoint,
  ExportQuery,
  FeedbackFields: feedbackInputs.SetFeedback,
  FeedbackQuery: feedbackInputs.ListFeedback,
  HandBackFields: sessionInputs.HandBack,
  HumanRequestFields: sessionInputs.RequestHuman,
  KeyFields: keyInputs.CreateKey,
  KeyQuery: keyInputs.ListKeys,
  MessageFields: sessionInputs.AddMessage,
  MessagesQuery: sessionInputs.MessagesQuery,
  PromptFields: comparisonInputs.Prompt,
  PromptTemplateFields: CreatePromptTemplate,
  RegenerateFields: sessionInputs.Regenerate,
  ReplayFields: comparisonInputs.Replay,
  RunExportQuery: runInputs.ExportRun,
  RunFields: runInputs.CreateRun,
  RunQuery: runInputs.ListRuns,
  RunResultQuery: runInputs.ListResults,
  SessionChanges: sessionInputs.UpdateSession,
  SessionFields: sessionInputs.CreateSession,
  SessionQuery: sessionInputs.ListSessions,
  StatisticsQuery,
  TakeOverFields: sessionInputs.TakeOver,
} as const;
