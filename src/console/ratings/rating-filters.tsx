/** The filters of the list of ratings. */
import { Choice, DateField } from "../chats/list/filters.tsx";
import { ClientSelect } from "../shared/client-select.tsx";
import type { Names } from "./names.ts";

export interface RatingFilterValues {
  rating: string;
  chatbotId: string;
  clientId: string;
  startDate: string;
  endDate: string;
}

export const BAD_ONES: RatingFilterValues = { rating: "-1", chatbotId: "", clientId: "", startDate: "", endDate: "" };

interface FiltersProps {
  values: RatingFilterValues;
  /** `null` until they are loaded. */
  names: Names | null;
  onChange: (values: RatingFilterValues) => void;
}

export function RatingFilters({ values, names, onChange }: FiltersProps) {
  const set = (name: keyof RatingFilterValues) => (value: string) => onChange({ ...values, [name]: value });
  return (
    <form class="filters" role="search" aria-label="Ratings" onSubmit={(event) => event.preventDefault()}>
      <Choice
        label="Rating"
        value={values.rating}
        options={[
          ["-1", "bad"],
          ["1", "good"],
        ]}
        onChange={set("rating")}
      />
      <Choice
        label="Chatbot"
        value={values.chatbotId}
        options={[...(names?.chatbots ?? [])]}
        onChange={set("chatbotId")}
      />
      <ClientSelect label="Client" value={values.clientId} none="any" onChange={set("clientId")} />
      <DateField label="From" value={values.startDate} onChange={set("startDate")} />
      <DateField label="To" value={values.endDate} onChange={set("endDate")} />
    </form>
  );
}
