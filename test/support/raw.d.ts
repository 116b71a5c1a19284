/** The text of a file, for tests in the Workers runtime, which cannot read files. */
declare module "*?raw" {
  const text: string;
  export default text;
}
