export async function wait(later: () => Promise<void>): Promise<void> {
  try {
    await later();
  } finally {
    await later();
  }
}
