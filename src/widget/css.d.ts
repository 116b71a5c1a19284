// Vite makes the text of a file out of it.
declare module "*.css?inline" {
  const text: string;
  export default text;
}
