export const later = await Promise.resolve(4);
