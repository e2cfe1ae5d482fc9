export const using = 6, unused = 1;
const async = 3;
export default async
export { using as 'a name' }