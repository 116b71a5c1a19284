/** The entries of a list that is separated by commas, as settings and headers have it, without blanks around them. Pure. */
export const splitCommaList = (text = ""): string[] =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
