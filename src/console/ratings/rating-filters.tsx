/** The filters of the list of ratings. */
import { Choice } from "../chats/list/filters.tsx";
import { ClientSelect } from "../shared/client-select.tsx";
import { DateRange } from "../shared/date-range.tsx";
import type { Days } from "../shared/date-range.tsx";
import type { Names } from "./names.ts";

export interface RatingFilterValues extends Days {
  rating: string;
  chatbotId: string;
  clientId: string;
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
      <DateRange days={values} onChange={(days) => onChange({ ...values, ...days })} />
    </form>
  );
}
