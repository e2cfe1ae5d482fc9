export const options = { thresholds: { nobody: ['count<5'] } }; export default function () {}
