/** How numbers and times are written for people. Pure. */

export function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  if (value < 10) return `${value.toFixed(2)} s`;
  return value < 100 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

/** A price in the currency of the endpoint, which nobody has named. */
export function money(amount: number): string {
  if (amount === 0) return "0";
  return amount < 0.01 ? amount.toPrecision(2) : amount.toFixed(amount < 1 ? 4 : 2);
}

export const integer = (value: number): string => value.toLocaleString("en");

export const plural = (count: number, noun: string): string => `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A time of the near past in short: the hour today, otherwise the day. */
export function shortTime(time: Date, now = new Date()): string {
  const isToday = time.toDateString() === now.toDateString();
  return isToday
    ? time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })
    : time.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}
