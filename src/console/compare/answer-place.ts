/** An answer in the address of its comparison: `#/compare/<id>/<number of the prompt>.<chat>`. Pure. */
export interface AnswerPlace {
  /** Of the prompt, from 1. */
  number: number;
  chatId: string;
}

export const partOf = ({ number, chatId }: AnswerPlace): string => `${number}.${chatId}`;

/** @returns `null` if it names no answer */
export function readPlace(part: string): AnswerPlace | null {
  const [, number, chatId] = /^(\d+)\.(.+)$/.exec(part) ?? [];
  return number === undefined || chatId === undefined ? null : { number: Number(number), chatId };
}
