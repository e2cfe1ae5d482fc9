export const x = 1;
//# sourceMappingURL=nowhere.js.map
