// Files that are compiled into the executable as text.
declare module "*.c" {
  const text: string;
  export default text;
}
