/** Reads the attributes of the widget's script tag. No effects. */

export interface WidgetOptions {
  /** Where the script comes from: the origin of Parley. */
  serverUrl: string;
  chatbotId: string;
  /** On the page's own server. */
  tokenUrl: string;
  title: string;
  /** Whether the chat offers to ask for a person. */
  offersPerson: boolean;
  theme: string | undefined;
}

/** @throws when an attribute is missing that the widget cannot do without */
export function readOptions({ src, dataset }: HTMLScriptElement): WidgetOptions {
  const { chatbotId, tokenUrl, title = "Chat", person, theme } = dataset;
  if (!chatbotId || !tokenUrl) throw new Error("Parley's widget needs data-chatbot-id and data-token-url");
  const { origin } = new URL(src);
  return { serverUrl: origin, chatbotId, tokenUrl, title, offersPerson: person !== "false", theme };
}
