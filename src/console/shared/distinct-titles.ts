/** Titles of things that may have one name: the second of a name has `(2)` behind it. Pure. */
export function distinctTitles(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return names.map((name) => {
    const number = (counts.get(name) ?? 0) + 1;
    counts.set(name, number);
    return number > 1 ? `${name} (${number})` : name;
  });
}
