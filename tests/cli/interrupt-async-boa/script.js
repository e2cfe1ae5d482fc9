// An iteration that is cut off behind an await has not finished.
export const options = { scenarios: { a: { executor: 'constant-vus', vus: 2, duration: '1s', gracefulStop: '300ms' } } };
export default async function () {
  await null;
  for (;;);
}
