export const first = () => 'first';
