export default async (x) => {
  await null;
  return x;
}
// the end